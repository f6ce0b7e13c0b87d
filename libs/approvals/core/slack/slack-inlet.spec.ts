import { beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/contracts';
import { readCommand, readInteraction } from './read-interaction.ts';
import type { SlackWork } from './slack-desk.ts';
import { SlackInlet } from './slack-inlet.ts';
import { SlackSpec } from './spec/world.ts';

const from = { team: { id: 'T0HOLD' }, api_app_id: 'A0HOLD', user: { id: 'U0GRACE', team_id: 'T0HOLD' } };
const press = (more: object = {}) => ({ type: 'block_actions', ...from, trigger_id: '1.2.abc', channel: { id: 'C0OPS' }, actions: [{ action_id: 'approve', value: 'h' }], ...more });
const form = (handle: string) => ({ type: 'view_submission', ...from, view: { private_metadata: handle, state: { values: { reason: { reason: { value: 'because' } } } } } });
const never = () => new Promise<void>(() => undefined);

describe('what is read of an interaction', () => {
  it('is who, where, and which handle', () => {
    expect(readInteraction(press({ message: { text: 'forged' }, response_url: 'http://169.254.169.254/' }))).toEqual({ kind: 'press', team: 'T0HOLD', app: 'A0HOLD', user: 'U0GRACE', trigger: '1.2.abc', channel: 'C0OPS', handle: 'h' });
    expect(readInteraction(form('h'))).toEqual({ kind: 'submission', team: 'T0HOLD', app: 'A0HOLD', user: 'U0GRACE', handle: 'h', reason: 'because', args: null });
    expect(readInteraction({ type: 'view_closed', ...from })).toEqual({ kind: 'nothing', team: 'T0HOLD', app: 'A0HOLD' });
    expect(readInteraction(press({ actions: [{ action_id: 'open', url: 'x' }], channel: { id: '../x' } }))).toMatchObject({ handle: null, channel: null });
  });

  it.each([
    null, 1, 'x', [], {}, { type: 'block_actions' }, press({ user: null }), press({ user: { id: 'U0GRACE', team_id: 'T0ELSE' } }), press({ user: { id: "U'; drop" } }), press({ team: { id: 'x' } }), press({ team: null }), press({ api_app_id: {} }),
    press({ trigger_id: undefined }), { ...form('h'), view: {} }, { ...form('h'), view: { private_metadata: 1 } },
  ])('is nothing when it is not one: %j', (payload) => {
    expect(readInteraction(payload)).toBeNull();
  });

  it('of a command is who and its words', () => {
    const fields = { team_id: 'T0HOLD', api_app_id: 'A0HOLD', user_id: 'U0GRACE', channel_id: 'C0OPS', text: '  Approvals   now ' };
    expect(readCommand(fields)).toEqual({ kind: 'command', team: 'T0HOLD', app: 'A0HOLD', user: 'U0GRACE', channel: 'C0OPS', words: ['approvals', 'now'] });
    expect(readCommand({ ...fields, text: 'a '.repeat(500) })?.words).toHaveLength(10);
    for (const name of ['team_id', 'api_app_id', 'user_id']) expect(readCommand({ ...fields, [name]: 'x' })).toBeNull();
  });
});

describe('the inlet', () => {
  let w: SlackSpec;
  let kept: SlackWork[];
  let faults: unknown[];
  const inlet = (wait: (ms: number) => Promise<void> = never) => new SlackInlet({ desk: w.desk, workspaces: w.workspaces, later: { later: async (work) => void kept.push(work) }, wait, onFault: (error) => faults.push(error) });
  beforeEach(() => {
    w = new SlackSpec();
    w.links.links.set('U0GRACE', 'grace');
    [kept, faults] = [[], []];
  });

  it('answers a press at once and keeps it for later', async () => {
    expect(await inlet().interaction(press(), () => true)).toBeNull();
    expect(kept).toEqual([{ tenant: 'acme', user: 'U0GRACE', trigger: '1.2.abc', channel: 'C0OPS', handle: 'h' }]);
    await inlet().interaction(press({ actions: [{ action_id: 'open' }] }), () => true);
    expect(kept).toHaveLength(1);
  });

  it('decides a form before it answers', async () => {
    expect(await inlet().interaction(form(w.handle('deny', 'U0GRACE')), () => true)).toEqual({});
    expect(w.decided).toHaveLength(1);
  });

  it.each([[undefined, 'was counted'], [new Refusal('decision_stale'), 'was not counted'], [new Error('database'), 'was not counted']])('answers a form that takes too long, goes on, and tells (%s)', async (failure, words) => {
    let end = (): void => undefined;
    w.decide = () => new Promise((resolve, reject) => (end = () => (failure ? reject(failure) : resolve())));
    expect(await inlet(() => new Promise((resolve) => setImmediate(resolve))).interaction(form(w.handle('deny', 'U0GRACE')), () => true)).toEqual({});
    expect(w.whispers).toEqual([]);
    end();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(w.told).toContain(words);
    expect(faults).toHaveLength(failure instanceof Refusal || !failure ? 0 : 1);
  });

  it('knows only apps and workspaces that are configured, and whose secret it was', async () => {
    for (const stranger of [press({ team: { id: 'T0ELSE' }, user: { id: 'U0GRACE' } }), press({ api_app_id: 'A0ELSE' })]) await expect(inlet().interaction(stranger, () => true)).rejects.toMatchObject({ code: 'signature_invalid' });
    await expect(inlet().interaction(press(), () => false)).rejects.toMatchObject({ code: 'signature_invalid' });
    await expect(inlet().command({ team_id: 'T0HOLD', api_app_id: 'A0HOLD', user_id: 'U0GRACE' }, () => false)).rejects.toMatchObject({ code: 'signature_invalid' });
    expect(kept).toEqual([]);
  });

  it('answers commands for one pair of eyes, in time or with a word', async () => {
    const fields = { team_id: 'T0HOLD', api_app_id: 'A0HOLD', user_id: 'U0GRACE', text: 'approvals' };
    expect(await inlet().command(fields, () => true)).toMatchObject({ response_type: 'ephemeral', text: 'Approvals that wait for you' });
    expect(await inlet(() => Promise.resolve()).command(fields, () => true)).toEqual({ response_type: 'ephemeral', text: 'That took too long; try again.' });
  });
});
