import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ApprovalView, Handles, type Message, type Recipient } from '#libs/approvals/core';
import { HoldfastConfig } from '#libs/contracts';
import { JobHopeless, JobPostponed } from '#libs/ports';
import { FakeSlack } from '#libs/testing';
import { ConfiguredWorkspaces } from './configured-workspaces.ts';
import type { BrokenChannel } from './failures.ts';
import { SlackChannel } from './slack-channel.ts';

const plainSealer = { seal: (text: string): string => Buffer.from(text).toString('base64url'), open: (text: string): string => Buffer.from(text, 'base64url').toString() };
const room: Recipient = { kind: 'room', name: '#ops' };

const view = (version: number, more: Partial<ApprovalView> = {}): ApprovalView => ({
  id: 'a1', call: 'c1', status: 'held', version, caller: { user: 'ada', client: 'cli', agent: 'bot' }, server: 'wit', method: 'tools/call', tool: 'write', toolHash: null,
  impactClass: 'write', rule: 'r', why: 'because', flow: 'f', steps: [{ name: 'first', need: 1, deny: 1, state: 'open', escalated: false, people: ['grace'] }], step: 0,
  progress: `first: 0 of 1 at ${version}`, votes: [], argsDigest: 'A'.repeat(43), argsAbsent: false, edits: [], createdAt: '2026-11-21T20:00:00.000Z', changedAt: '2026-11-21T20:00:00.000Z',
  expiresAt: '2026-11-21T21:00:00.000Z', grantedBy: null, brokenBy: null, approverReason: 'optional', channels: [], ...more,
});
const message = (id: string, recipient: Recipient, shown: ApprovalView = view(2)): Message => ({ id, tenant: 'acme', kind: 'asked', recipient, view: shown, step: 0, summary: [], link: 'http://h.test/a1' });

describe('messages in Slack', () => {
  let slack: FakeSlack;
  let workspaces: ConfiguredWorkspaces;
  let channel: SlackChannel;
  let broken: BrokenChannel[];
  beforeEach(async () => {
    slack = await new FakeSlack().start();
    slack.addRoom('ops');
    slack.addUser('U0GRACE');
    broken = [];
    const app = { tenant: 'acme', appId: slack.appId, teamId: slack.teamId, botToken: { secretRef: 'env:B' }, signingSecret: { secretRef: 'env:S' }, apiUrl: slack.apiUrl };
    workspaces = new ConfiguredWorkspaces({ resolveSecret: ({ secretRef }) => (secretRef === 'env:S' ? 'secret' : slack.botToken), onBroken: (one) => broken.push(one), onFault: () => undefined });
    workspaces.use(HoldfastConfig.parse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }], notify: { slack: [app] } }));
    const links = { accountOf: async (_tenant: string, _team: string, person: string) => (person === 'grace' ? 'U0GRACE' : null) };
    channel = new SlackChannel({ workspaceOf: (tenant) => workspaces.ofTenant(tenant), links, handles: new Handles(plainSealer), clock: { now: () => Date.parse('2026-11-21T20:05:00Z'), monotonicUs: () => 0 } });
  });
  afterEach(async () => {
    await workspaces.close();
    await slack.stop();
  });

  it('are told in rooms and to people, and changed afterwards', async () => {
    const inRoom = await channel.send(message('m1', room));
    const direct = await channel.send(message('m2', { kind: 'person', user: 'grace', email: null }));
    expect([inRoom, direct]).toEqual([expect.stringMatching(/^C0OPS0000:\d+\.\d+$/), expect.stringMatching(/^D0U0GRACE:/)]);
    for (const reference of [inRoom, direct]) await channel.update(reference, message('m', room, view(3, { status: 'denied' })));
    for (const { state, before } of [...slack.inRoom('ops'), ...slack.direct('U0GRACE')]) {
      expect(before).toHaveLength(1);
      expect(JSON.stringify(before)).toContain('"Approve"');
      expect(JSON.stringify(state.blocks)).toContain('Denied, not executed');
      expect(JSON.stringify(state.blocks)).not.toContain('"Approve"');
    }
  });

  it('never go back to an older state, however slow the newer one was', async () => {
    const reference = await channel.send(message('m1', room));
    slack.slow('chat.update', 300);
    const newer = channel.update(reference, message('m1', room, view(5)));
    const older = channel.update(reference, message('m1', room, view(4)));
    await Promise.all([newer, older]);
    await channel.update(reference, message('m1', room, view(3)));
    const [{ state, before }] = slack.inRoom('ops') as [ReturnType<FakeSlack['inRoom']>[number]];
    expect(JSON.stringify(state)).toContain('at 5');
    expect(before).toHaveLength(1);
  });

  it('are found again by their id, in rooms that were never written to before', async () => {
    slack.loseAnswer('chat.postMessage');
    await expect(channel.send(message('lost', room))).rejects.toThrow('could not be reached');
    expect(await channel.find(message('lost', room))).toBe(`${slack.inRoom('ops')[0]!.channel}:${slack.inRoom('ops')[0]!.ts}`);
    // Sent again, it is found instead; what did not arrive is sent.
    expect(await channel.send(message('lost', room))).toBe(`${slack.inRoom('ops')[0]!.channel}:${slack.inRoom('ops')[0]!.ts}`);
    slack.fail('chat.postMessage', 'fatal_error');
    await expect(channel.send(message('failed', room))).rejects.toThrow('fatal_error');
    await channel.send(message('failed', room));
    expect(slack.inRoom('ops')).toHaveLength(2);
    slack.loseAnswer('chat.postMessage');
    await expect(channel.send(message('doubt', room))).rejects.toThrow('could not be reached');
    slack.fail('conversations.history', 'missing_scope');
    await expect(channel.send(message('doubt', room))).rejects.toThrow('nobody can tell');
    expect(await channel.find(message('never', room))).toBeNull();
    expect(await channel.find(message('never', { kind: 'room', name: '#elsewhere' }))).toBeUndefined();
    slack.fail('conversations.history', 'missing_scope');
    expect(await channel.find(message('lost', room))).toBeUndefined();
  });

  it('are found on later pages', async () => {
    const first = await channel.send(message('first', room));
    for (let n = 0; n < 210; n++) await channel.send(message(`m${n}`, room));
    expect(await channel.find(message('first', room))).toBe(first);
  });

  it('wait as long as Slack asks', async () => {
    slack.rateLimit('chat.postMessage', 7);
    await expect(channel.send(message('m1', room))).rejects.toMatchObject({ name: new JobPostponed(1).name, afterMs: 7_000 });
    slack.rateLimit('chat.postMessage', 0);
    const failure = await channel.send(message('m1', room)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ afterMs: 1_000 });
    slack.fail('chat.postMessage', 'ratelimited');
    expect(await channel.send(message('m1', room)).catch((error: unknown) => error)).toMatchObject({ afterMs: 30_000 });
    expect(broken).toEqual([]);
  });

  it.each(['invalid_auth', 'account_inactive', 'token_revoked', 'missing_scope'])('are hopeless with %s, and the whole app is broken', async (problem) => {
    slack.fail('chat.postMessage', problem);
    await expect(channel.send(message('m1', room))).rejects.toEqual(new JobHopeless(`slack: ${problem}`));
    expect(broken).toEqual([{ tenant: 'acme', room: null, problem }]);
  });

  it.each(['channel_not_found', 'not_in_channel', 'is_archived'])('are hopeless with %s, and this room is broken', async (problem) => {
    slack.fail('chat.postMessage', problem);
    await expect(channel.send(message('m1', room))).rejects.toEqual(new JobHopeless(`slack: ${problem}`));
    expect(broken).toEqual([{ tenant: 'acme', room: '#ops', problem }]);
  });

  it('are hopeless to people without an account, and for tenants without an app; that breaks nothing', async () => {
    await expect(channel.send(message('m1', { kind: 'person', user: 'alan', email: 'alan@acme.test' }))).rejects.toBeInstanceOf(JobHopeless);
    await expect(channel.send({ ...message('m1', room), tenant: 'globex' })).rejects.toBeInstanceOf(JobHopeless);
    await expect(channel.update('nonsense', message('m1', room))).rejects.toBeInstanceOf(JobHopeless);
    await expect(channel.update('C0OPS0000:1.1', message('m1', room))).rejects.toEqual(new JobHopeless('slack: message_not_found'));
    expect(broken).toEqual([]);
  });

  it('are tried again after anything else', async () => {
    slack.fail('chat.postMessage', 'internal_error');
    const failure = await channel.send(message('m1', room)).catch((error: unknown) => error);
    expect(failure).toEqual(new Error('slack: internal_error'));
    expect(failure).not.toBeInstanceOf(JobHopeless);
    await slack.stop();
    await expect(channel.send(message('m1', room))).rejects.toThrow('slack could not be reached');
    slack = await new FakeSlack().start();
  });

  it('go out with the secrets and settings in force, and an app whose secrets are gone is told of', () => {
    const [before] = workspaces.all();
    const app = { tenant: 'acme', appId: slack.appId, teamId: slack.teamId, botToken: { secretRef: 'env:B' }, signingSecret: { secretRef: 'env:S' }, apiUrl: slack.apiUrl };
    const use = (more: object): void => workspaces.use(HoldfastConfig.parse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }], notify: { slack: [{ ...app, ...more }] } }));
    use({ riskCeiling: 'read' });
    expect(workspaces.all()[0]!.client).toBe(before!.client);
    expect(workspaces.ofTeam(slack.teamId, slack.appId)?.settings.riskCeiling).toBe('read');
    expect(workspaces.ofTeam(slack.teamId, 'A0OTHER')).toBeUndefined();
    use({ teamId: 'T0OTHER' });
    expect(workspaces.all()[0]!.client).not.toBe(before!.client);
    const gone = new ConfiguredWorkspaces({ resolveSecret: () => { throw new Error('the environment variable B, named by a secretRef, is not set'); }, onBroken: (one) => broken.push(one), onFault: () => undefined });
    gone.use(HoldfastConfig.parse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }], notify: { slack: [app] } }));
    expect([gone.all(), broken]).toEqual([[], [{ tenant: 'acme', room: null, problem: 'the environment variable B, named by a secretRef, is not set' }]]);
  });
});
