import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven } from './harness/history.ts';
import { until } from './harness/until.ts';
import type { Exit } from './harness/holdfast.ts';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const SAMPLE = '01a1fe87-ca93-7227-924a-62b8b5453c53';
const sh = promisify(execFile);

describe('holdfast approvals', () => {
  let w: ApprovalWorld;
  beforeAll(async () => {
    w = await approvalWorld();
    await w.installation.start();
  });
  afterAll(() => w.close());

  const as = (user: string, ...words: readonly string[]): Promise<Exit> => w.installation.cli('approvals', ...words, '--token', w.as(user).token);
  const hold = async (marker: string): Promise<{ readonly id: string; readonly version: number; readonly calling: Promise<unknown> }> => {
    const list = async () => (await w.as('oscar').list('state=held')).body.items;
    const before = new Set((await list()).map(({ id }) => id));
    const calling = w.caller().call('wit__write', { marker });
    const { id, version } = await until('the call is held', async () => (await list()).find((item) => !before.has(item.id)));
    return { id, version, calling };
  };
  /** The example of a command's help, about an approval that is there, as it would be pasted into a shell. */
  const example = async (user: string | null, command: string, id: string): Promise<string> => {
    const { stdout } = await w.installation.cli(...command.split(' '), '--help');
    const line = /^Example: (.*)$/m.exec(stdout)![1]!.replace(SAMPLE, id);
    const env = { PATH: process.env['PATH'], HOLDFAST_DATA: w.installation.data, ...(user === null ? {} : { HOLDFAST_TOKEN: w.as(user).token }) };
    return (await sh('sh', ['-c', `holdfast() { "${process.execPath}" "${CLI}" "$@"; }; ${line}`], { env })).stdout;
  };

  it('lists, shows, approves; the machine itself is nobody who decides', async () => {
    const held = await hold('cli');
    expect(await example(null, 'approvals list', held.id)).toContain(held.id);
    expect(JSON.parse((await as('grace', 'list', '--mine', '--json')).stdout)).toMatchObject({ items: [{ id: held.id, status: 'held' }] });
    expect(await example('grace', 'approvals show', held.id)).toContain('{"marker":"cli"}');
    const nobody = await w.installation.cli('approvals', 'approve', held.id);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('people decide: give --token')]);
    const ineligible = await as('barbara', 'approve', held.id);
    expect([ineligible.code, ineligible.stderr]).toEqual([1, expect.stringContaining('[not_eligible]')]);
    expect(await example('grace', 'approvals approve', held.id)).toContain('grace: approved. The call is held');
    const again = await as('grace', 'approve', held.id, '--version', String(held.version), '--json');
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { person: 'grace', verdict: 'approve' }]);
    expect((await as('edsger', 'approve', held.id)).stdout).toContain('The call is approved');
    await held.calling;
    expect(w.upstream.executed.get('cli')).toBe(1);
    const late = await as('alan', 'approve', held.id);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('[approval_claimed]')]);
  });

  it('denies with a reason, and says what is missing', async () => {
    const held = await hold('denied');
    const bare = await as('grace', 'deny', held.id);
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('--reason is needed')]);
    expect(await example('grace', 'approvals deny', held.id)).toContain('The call is denied');
    await held.calling;
    expect((await as('grace', 'show', 'nonsense')).code).toBe(1);
    expect((await as('grace', 'approve', held.id, '--version', 'x')).code).toBe(2);
  });

  it('approves other arguments, and then asks which ones are meant', async () => {
    const held = await hold('edited');
    const file = join(w.installation.data, '..', 'args.json');
    writeFileSync(file, '{"marker":"by hand"}');
    expect((await as('grace', 'approve', held.id, '--args', file)).code).toBe(0);
    const unsure = await as('alan', 'approve', held.id);
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('grace changed the arguments')]);
    const { version } = JSON.parse((await as('edsger', 'show', held.id, '--json')).stdout) as { version: number };
    expect((await as('edsger', 'approve', held.id, '--version', String(version))).stdout).toContain('approved');
    await held.calling;
    expect(w.upstream.executed.get('by hand')).toBe(1);
  });

  it('cancels as the operator of this machine, and breaks the glass as a person', async () => {
    const first = await hold('cancelled');
    expect(await example(null, 'approvals cancel', first.id)).toContain('The call is cancelled');
    await first.calling;
    const second = await hold('glass');
    expect(await example('oscar', 'approvals break-glass', second.id)).toContain('The call is approved');
    await second.calling;
    expect(w.upstream.executed.get('glass')).toBe(1);
  });

  it('approves beforehand, hands rights on, and ends both', async () => {
    const held = await hold('pattern');
    expect(await example('grace', 'approvals standing create', held.id)).toContain('in_force');
    await example(null, 'approvals cancel', held.id);
    await held.calling;
    await w.caller().call('wit__write', { marker: 'nightly' });
    expect(w.upstream.executed.get('nightly')).toBe(1);
    expect(await example(null, 'approvals standing list', '')).toContain('args.marker == "nightly"');
    const [standing] = (JSON.parse((await as('grace', 'standing', 'list', '--json')).stdout) as { items: { id: string }[] }).items;
    expect(await example('grace', 'approvals standing revoke', standing!.id)).toContain('revoked');
    expect(await example('grace', 'approvals delegate', '')).toContain('edsger');
    expect(await example('grace', 'approvals delegations', '')).toContain('flow two');
    const [delegation] = (JSON.parse((await as('grace', 'delegations', '--json')).stdout) as { items: { id: string }[] }).items;
    expect((await as('edsger', 'delegations', '--end', delegation!.id)).stderr).toContain('[forbidden]');
    expect((await as('grace', 'delegations', '--end', delegation!.id)).code).toBe(0);
    expect(JSON.parse((await as('grace', 'delegations', '--json')).stdout)).toEqual({ items: [] });
  });

  it('and all of it stands in a log that proves it', async () => {
    await expect(expectProven(w.installation)).resolves.toBeUndefined();
  });
});
