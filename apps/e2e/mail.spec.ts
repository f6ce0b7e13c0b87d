import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MailServer } from '#libs/testing';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { events, expectProven, settled } from './harness/history.ts';
import { until } from './harness/until.ts';

/** A worker that died holds its job until others see that it does not renew its hold. */
const A_LOST_JOB_IS_TAKEN_OVER_MS = 90_000;

describe('people who are told by mail', () => {
  const server = new MailServer();
  let w: ApprovalWorld;
  beforeAll(async () => {
    await server.start();
    w = await approvalWorld({
      flow: {
        channels: ['console', 'email'],
        steps: [
          { name: 'first', approvers: { users: ['grace', 'alan'] }, remindEvery: '2s', remindMost: 1 },
          { name: 'second', approvers: { users: ['edsger'] }, escalateAfter: '2s', escalateTo: { users: ['alan'] } },
        ],
      },
      config: (base) => ({ ...base, notify: { publicUrl: 'https://holdfast.acme.test', smtp: { host: '127.0.0.1', port: server.port, requireTls: false, from: 'Holdfast <holdfast@acme.test>' } } }),
    });
    await w.installation.start();
  });
  afterAll(async () => {
    await w.close();
    await server.stop();
  });

  /** Who got mails of this kind about an approval, one entry for each. */
  const told = (approval: string, kind: RegExp): string[] => server.mails.filter(({ raw, mail }) => raw.includes(approval) && kind.test(mail.subject ?? '')).flatMap(({ to }) => to).sort((a, b) => (a < b ? -1 : 1));

  it('each who is asked gets one, then a reminder, the next step its own, and escalation adds people', async () => {
    const calling = w.caller().call('wit__write', { marker: 'mailed' });
    const [held] = await w.waiting(1);
    await until('they are asked', () => told(held!.id, /^Approval needed/).length === 2);
    expect(told(held!.id, /^Approval needed/)).toEqual(['alan@acme.test', 'grace@acme.test']);
    await until('they are reminded', () => told(held!.id, /^Reminder/).length === 2);
    await w.as('grace').decide(held!.id, 'approve', (await w.as('grace').show(held!.id)).body.version);
    await until('the next is asked', () => told(held!.id, /^Approval needed/).length === 3);
    await until('it is escalated', () => told(held!.id, /^Escalated/).length === 1);
    expect(told(held!.id, /^Escalated/)).toEqual(['alan@acme.test']);
    await w.as('edsger').decide(held!.id, 'approve', (await w.as('edsger').show(held!.id)).body.version);
    expect((await calling).body.result?.content?.[0]?.text).toBe('done mailed');
    expect(told(held!.id, /^Approval needed/)).toEqual(['alan@acme.test', 'edsger@acme.test', 'grace@acme.test']);
    const [mail] = server.mails;
    expect(mail!.mail.text).toContain('marker: mailed');
    expect(mail!.mail.text).toMatch(/^https:\/\/holdfast\.acme\.test\/review\/[A-Za-z0-9_-]{43}$/m);
  }, 60_000);

  it('a mail server that is away does not hold up the approval, and the mails come when it is back', async () => {
    server.behaviour = 'refuse for now';
    const calling = w.caller().call('wit__write', { marker: 'away' });
    const [held] = await w.waiting(1);
    await until('it was tried', () => server.attempts > 0);
    expect(told(held!.id, /./)).toEqual([]);
    server.behaviour = 'take';
    await until('they are told', () => told(held!.id, /^Approval needed/).length === 2);
    await w.approve(held!.id);
    expect((await calling).body.result?.isError).toBeFalsy();
  }, 60_000);

  it('a mailbox that is not there is given up at once: on record, in the view of dead jobs, and the approval goes on', async () => {
    server.behaviour = 'refuse for good';
    const calling = w.caller().call('wit__write', { marker: 'nobody' });
    const [held] = await w.waiting(1);
    interface Dead {
      readonly items: readonly { readonly key: string; readonly data: { readonly approval: string }; readonly lastError: string }[];
    }
    const dead = async (): Promise<Dead['items']> => (await w.as('oscar').request<Dead>('GET', '/jobs/notifications/dead')).body.items.filter(({ data }) => data.approval === held!.id);
    await until('it is given up', async () => (await dead()).length >= 2);
    expect((await dead())[0]).toMatchObject({ lastError: 'the mail server refused it (550)' });
    expect((await w.as('grace').request('GET', '/jobs/notifications/dead')).status).toBe(403);
    await w.approve(held!.id);
    expect((await calling).body.result?.content?.[0]?.text).toBe('done nobody');
    await settled(w.installation, w.auditorToken);
    const failed = (await events(w.installation, w.auditorToken, { type: 'notification.failed' })).filter(({ links }) => links.approval === held!.id);
    expect(failed.map(({ data }) => [data['channel'], data['kind'], data['recipient']])).toEqual(expect.arrayContaining([['email', 'asked', 'grace'], ['email', 'asked', 'alan']]));
    server.behaviour = 'take';
  }, 60_000);

  it('kill -9 in the middle of it: nobody is told twice', async () => {
    for (let round = 0; round < 3; round++) {
      const calling = w.caller().call('wit__write', { marker: `crash ${round}` }).catch(() => undefined);
      const [held] = await w.waiting(1);
      if (round > 0) await until('somebody is told', () => told(held!.id, /./).length >= 1);
      await w.installation.killBroker();
      await calling;
      await w.installation.start();
      const failures = async (): Promise<number> => (await events(w.installation, w.auditorToken, { type: 'notification.failed' })).filter(({ links, data }) => links.approval === held!.id && data['kind'] === 'asked').length;
      // Each of the two is told, or it is on record that nobody knows.
      await until('each is told or given up', async () => told(held!.id, /^Approval needed/).length + (await failures()) >= 2, A_LOST_JOB_IS_TAKEN_OVER_MS);
      const asked = told(held!.id, /^Approval needed/);
      expect(new Set(asked).size).toBe(asked.length);
      await w.as('oscar').request('POST', `/approvals/${held!.id}/cancel`, {});
    }
    await settled(w.installation, w.auditorToken);
    await expectProven(w.installation);
  }, 400_000);
});
