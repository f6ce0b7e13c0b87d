import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ApprovalView, DeliveryInDoubt, type Message } from '#libs/approvals/core';
import { JobHopeless } from '#libs/ports';
import { MailServer } from '#libs/testing';
import { EmailChannel } from './email-channel.ts';

const view: ApprovalView = {
  id: '0199d0c4-7c1d-7a00-8000-00000000a001',
  call: 'c',
  status: 'held',
  version: 2,
  caller: { user: 'ada', client: 'cli', agent: 'bot' },
  server: 'billing',
  method: 'tools/call',
  tool: 'refund',
  toolHash: null,
  impactClass: 'external',
  rule: 'ask',
  why: 'Refunds are <looked> at.',
  flow: 'two',
  steps: [{ name: 'finance', need: 1, deny: 1, state: 'open', escalated: false, people: ['grace'] }],
  step: 0,
  progress: 'finance: 0 of 1',
  votes: [],
  argsDigest: '0vTCnSXcV8mZ-uYmxOyGQz5vLmpIvnKbbL-DGcG3Ip4',
  argsAbsent: false,
  edits: [],
  createdAt: '2026-11-21T20:00:00.000Z',
  changedAt: '2026-11-21T20:00:00.000Z',
  expiresAt: '2026-11-21T21:00:00.000Z',
  grantedBy: null,
  brokenBy: null,
  approverReason: 'optional',
  channels: ['email'],
};

const message = (more: Partial<Message> = {}): Message => ({
  id: `${view.id} asked 0 0 email @grace`,
  tenant: 'acme',
  kind: 'asked',
  recipient: { kind: 'person', user: 'grace', email: 'grace@acme.test' },
  view,
  step: 0,
  summary: ['amount: 700', 'note: <b>now</b>'],
  link: 'http://127.0.0.1:4640/review/abc',
  ...more,
});

describe('mails about approvals', () => {
  const server = new MailServer();
  let channel: EmailChannel;
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    server.behaviour = 'take';
    server.mails.length = 0;
    channel = new EmailChannel({ host: '127.0.0.1', port: server.port, secure: false, requireTls: false, from: 'Holdfast <holdfast@acme.test>' });
  });
  afterEach(() => channel.close());

  it('go to one person each, in plain text and HTML, and say that no answer is read', async () => {
    expect(await channel.send(message())).toBeNull();
    const [{ mail, to, raw }] = server.mails as [(typeof server.mails)[number]];
    expect(to).toEqual(['grace@acme.test']);
    expect(mail.subject).toBe('Approval needed: bot wants refund on billing');
    expect(mail.text).toContain('Look at it and decide, signed in:\nhttp://127.0.0.1:4640/review/abc');
    expect(mail.text).toContain('amount: 700\nnote: <b>now</b>');
    expect(mail.html).toContain('note: &lt;b&gt;now&lt;/b&gt;');
    expect(mail.html).toContain('Refunds are &lt;looked&gt; at.');
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
    expect(mail.html).not.toMatch(/<(script|img|link|form|iframe)/);
  });

  it('have the same identity when they are sent again, and one thread for each approval', async () => {
    await channel.send(message());
    await channel.send(message());
    await channel.send(message({ id: 'another', kind: 'reminded' }));
    const ids = server.mails.map(({ mail }) => mail.messageId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(new Set(server.mails.map(({ mail }) => mail.references)).size).toBe(1);
  });

  it.each([
    ['a tool', { view: { ...view, tool: 'refund\r\nBcc: eve@evil.test\r\n\r\nhello' } }],
    ['an agent', { view: { ...view, caller: { ...view.caller, agent: 'bot\nSubject: pay me' } } }],
    ['an address', { recipient: { kind: 'person', user: 'grace', email: 'grace@acme.test, eve@evil.test' } }],
    ['an address with a line', { recipient: { kind: 'person', user: 'grace', email: 'grace@acme.test\r\nBcc: eve@evil.test' } }],
  ] as [string, Partial<Message>][])('cannot be turned into others by the name of %s', async (_, more) => {
    await channel.send(message(more)).catch(() => undefined);
    for (const { to, mail } of server.mails) {
      expect(to).toHaveLength(1);
      expect(to).not.toContain('eve@evil.test');
      expect(mail.bcc ?? []).toEqual([]);
      expect(mail.subject).not.toMatch(/\n/);
    }
  });

  it.each([
    ['refuse for good', JobHopeless],
    ['refuse for now', Error],
    ['hang up', Error],
  ] as const)('%s: is told as what it is, and nothing has arrived', async (behaviour, kind) => {
    server.behaviour = behaviour;
    const error: unknown = await channel.send(message()).catch((caught: unknown) => caught);
    expect((error as object).constructor).toBe(kind);
    expect((error as Error).message).not.toContain('acme.test');
    expect(server.mails).toEqual([]);
  });

  it('taken by a server that never says so: nobody knows, and that is what is said', async () => {
    server.behaviour = 'take and hang up';
    await expect(channel.send(message())).rejects.toBeInstanceOf(DeliveryInDoubt);
    expect(server.mails).toHaveLength(1);
  });

  it('without a server: may be tried again', async () => {
    const nowhere = new EmailChannel({ host: '127.0.0.1', port: 9, secure: false, requireTls: false, from: 'holdfast@acme.test' });
    const error: unknown = await nowhere.send(message()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringMatching(/^the mail could not be sent \(/) as unknown });
    expect(error).not.toBeInstanceOf(DeliveryInDoubt);
    nowhere.close();
  });
});
