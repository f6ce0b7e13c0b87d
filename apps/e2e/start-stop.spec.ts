import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { alive, directory, freePort, Installation } from './harness/holdfast.ts';
import { expectProven, settled } from './harness/history.ts';
import { world } from './harness/world.ts';

const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(resource: T): T => (open.push(resource), resource);
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});

describe('npm start, embedded', () => {
  it('prints what to do next: URLs, a client configuration, the tokens of the demo, also in a private file', async () => {
    const installation = await keep(new Installation()).start();
    const tokens = (JSON.parse(readFileSync(join(installation.data, 'demo-tokens.json'), 'utf8')) as { tokens: Record<string, string> }).tokens;
    expect(statSync(join(installation.data, 'demo-tokens.json')).mode & 0o777).toBe(0o600);
    expect(Object.keys(tokens).sort()).toEqual(['admin', 'agent', 'approver', 'auditor', 'operator', 'secondApprover']);
    expect(installation.stdout).toContain(`${installation.url}/mcp`);
    for (const token of Object.values(tokens)) expect(installation.stdout).toContain(token);
    const pasted = JSON.parse(/\{\s*"mcpServers"[\s\S]*?\n\}/.exec(installation.stdout)![0]) as { mcpServers: { holdfast: { url: string; headers: { Authorization: string } } } };
    expect(pasted.mcpServers.holdfast).toMatchObject({ url: `${installation.url}/mcp`, headers: { Authorization: `Bearer ${tokens['agent']}` } });
  }, 90_000);

  it('a second start on the same data directory says one sentence and changes nothing', async () => {
    const first = await keep(new Installation()).start();
    const second = new Installation();
    rmSync(dirname(second.data), { recursive: true });
    Object.defineProperty(second, 'data', { value: first.data });
    await second.launch();
    const exit = await second.exit();
    expect(exit.code).toBe(1);
    expect(exit.stdout).toBe('');
    expect(exit.stderr.trim().split('\n')).toHaveLength(1);
    expect(exit.stderr).toContain('already running');
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  }, 90_000);

  it('SIGTERM drains: a call under way is answered and recorded, nothing stays behind, exit 0', async () => {
    const w = keep(await world());
    await w.installation.start();
    const caller = w.caller();
    const postmaster = w.installation.postmaster()!;
    const children = w.installation.children();
    const slow = caller.call('wit__write', { marker: 'slow', delayMs: 800 });
    while (!w.upstream.executed.has('slow')) await sleep(10);
    const exit = await w.installation.stop();
    expect((await slow).body.result?.content?.[0]?.text).toBe('done slow');
    expect({ code: exit.code, stderr: exit.stderr }).toEqual({ code: 0, stderr: '' });
    expect([postmaster, ...children].filter(alive)).toEqual([]);
    await w.installation.start();
    const calls = await settled(w.installation, w.auditorToken);
    expect([...calls.values()].map((call) => call.outcomes)).toEqual([['succeeded']]);
    await expectProven(w.installation);
  }, 90_000);

  it('a signal during the first start ends it in order: exit 0, and no database server stays behind', async () => {
    const installation = keep(new Installation());
    await installation.launch();
    while (installation.postmaster() === undefined) await sleep(10);
    const postmaster = installation.postmaster()!;
    const exit = await installation.stop();
    expect({ code: exit.code, stdout: exit.stdout, alive: alive(postmaster) }).toEqual({ code: 0, stdout: '', alive: false });
    await installation.start();
    expect((await installation.stop()).code).toBe(0);
  }, 90_000);

  it('ends by itself when the database server is gone, says so, and starts again', async () => {
    const installation = keep(new Installation());
    await installation.start();
    const database = installation.databaseProcesses();
    for (const pid of database) process.kill(pid, 'SIGKILL');
    while (database.some(alive)) await sleep(10);
    const exit = await installation.exit();
    expect([exit.code, exit.stderr.includes('the database server is gone')]).toEqual([70, true]);
    await installation.start();
  }, 90_000);
});

describe('a bad start says what is wrong, by name and never by value, and exits', () => {
  const ends = async (env: Record<string, string>, prepare?: (installation: Installation) => Promise<void> | void): Promise<{ code: number | null; stderr: string; stdout: string }> => {
    const installation = keep(new Installation(env));
    await prepare?.(installation);
    await installation.launch();
    return installation.exit();
  };

  it('unknown configuration key: the line and the nearest known key, exit 78', async () => {
    const place = directory();
    keep({ close: () => Promise.resolve(rmSync(place, { recursive: true })) });
    const path = join(place, 'holdfast.yaml');
    writeFileSync(path, 'apiVersion: holdfast/v1\ntenants: [{ id: acme, name: Acme }]\npolicys:\n  - { id: hunter2 }\n');
    const exit = await ends({ HOLDFAST_CONFIG: path });
    expect(exit.code).toBe(78);
    expect(exit.stderr).toMatch(/3\b.*policys.*policies/s);
    expect(exit.stderr).not.toContain('hunter2');
  }, 60_000);

  it('every wrong environment variable at once, exit 78', async () => {
    const exit = await ends({ HOLDFAST_PORT: 'hunter2', LOG_LEVEL: 'hunter3', HOLDFAST_DATTA: 'hunter4' });
    expect(exit.code).toBe(78);
    for (const name of ['HOLDFAST_PORT', 'LOG_LEVEL', 'HOLDFAST_DATTA', 'HOLDFAST_DATA']) expect(exit.stderr).toContain(name);
    expect(exit.stderr).not.toContain('hunter');
  }, 60_000);

  it('a configuration file that is not there, exit 78', async () => {
    const exit = await ends({ HOLDFAST_CONFIG: '/nowhere/holdfast.yaml' });
    expect([exit.code, exit.stderr.includes('config_invalid')]).toEqual([78, true]);
  }, 60_000);

  it('port taken, and the database is stopped again', async () => {
    const port = await freePort();
    const squatter = createServer().listen(port, '127.0.0.1');
    const installation = keep(new Installation());
    installation.port = port;
    await installation.launch();
    const exit = await installation.exit();
    squatter.close();
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain('port_taken');
    expect(installation.postmaster()).toBeUndefined();
  }, 60_000);

  it('data directory not writable', async () => {
    const exit = await ends({}, (installation) => {
      writeFileSync(installation.data, 'a file stands where the directory should be');
    });
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain('data_not_writable');
  }, 60_000);

  it('damaged data directory: says so, changes nothing, and starts again once it is repaired', async () => {
    const installation = keep(new Installation());
    await installation.start();
    await installation.stop();
    const control = join(installation.data, 'postgres', 'cluster', 'global', 'pg_control');
    const whole = readFileSync(control);
    truncateSync(control, 10);
    await installation.launch();
    const exit = await installation.exit();
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain('data_corrupt');
    writeFileSync(control, whole);
    await installation.start();
  }, 90_000);

  it('damaged demo tokens: says which file, with a code', async () => {
    const installation = keep(new Installation());
    await installation.start();
    await installation.stop();
    writeFileSync(join(installation.data, 'demo-tokens.json'), '{"tok');
    await installation.launch();
    const exit = await installation.exit();
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/demo-tokens\.json is damaged.*\[data_corrupt\]/);
  }, 90_000);

  it('a lost master key is never replaced in silence', async () => {
    const installation = keep(new Installation());
    await installation.start();
    await installation.stop();
    rmSync(join(installation.data, 'master.key'));
    await installation.launch();
    const exit = await installation.exit();
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain('master key');
  }, 90_000);

  it('distributed mode is said not to be there, instead of half working', async () => {
    const exit = await ends({ HOLDFAST_MODE: 'distributed' });
    expect([exit.code, exit.stderr.includes('mode_not_available')]).toEqual([78, true]);
  }, 60_000);
});

describe('kill -9 of everything, then start', () => {
  it('works, and nothing that was answered is lost', async () => {
    const w = keep(await world());
    await w.installation.start();
    const answer = await w.caller().call('wit__write', { marker: 'kept' });
    expect(answer.body.result?.content?.[0]?.text).toBe('done kept');
    await w.installation.killTree();
    await w.installation.start();
    const calls = await settled(w.installation, w.auditorToken);
    expect([...calls.values()].map((call) => call.outcomes)).toEqual([['succeeded']]);
    await expectProven(w.installation);
  }, 90_000);
});

