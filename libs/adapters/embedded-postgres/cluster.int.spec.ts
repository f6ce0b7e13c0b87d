import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPool } from '#libs/adapters/postgres';
import { withClient } from '#libs/testing';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './cluster.ts';
import { isRunning, readPostmaster } from './postmaster.ts';

describe('embedded PostgreSQL', () => {
  let base: string;
  let directory: string;
  const started: EmbeddedPostgres[] = [];
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'holdfast-pg-'));
    chmodSync(base, 0o755);
    directory = join(base, 'postgres');
  });
  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = async (): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ directory });
    started.push(server);
    return server;
  };
  const query = (server: EmbeddedPostgres, sql: string): Promise<unknown[]> => {
    return withClient(server.url('postgres'), async (client) => (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[]);
  };

  it('starts from nothing with fsync, checksums and a password, and keeps its data over a stop', async () => {
    const first = await start();
    expect(await query(first, `select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('data_checksums')`)).toEqual([['on', 'on', 'on']]);
    await query(first, 'create table kept as select 1 as n');
    await first.stop();
    expect(isRunning(first.pid, join(directory, 'cluster'))).toBe(false);
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second, 'select n from kept')).toEqual([[1]]);
    const wrong = second.url('postgres').replace(/:\/\/postgres:[^@]+@/, '://postgres:wrong@');
    await expect(withClient(wrong, () => Promise.resolve())).rejects.toThrow('password authentication failed');
  });

  it('is not bent by the PG variables of a user, and does not hand its environment to the server', async () => {
    Object.assign(process.env, { PGSSLMODE: 'require', PGOPTIONS: '-c synchronous_commit=off', SOME_SECRET: 'sesame' });
    try {
      const server = await start();
      const pool = createPool({ url: server.url('postgres'), application: 'spec', max: 1 });
      const { rows } = await pool.query("select current_setting('synchronous_commit') as durable");
      await pool.end();
      expect(rows).toEqual([{ durable: 'on' }]);
      // Where the system tells what a process was given.
      const given = process.platform === 'linux' ? readFileSync(`/proc/${server.pid}/environ`, 'utf8') : 'LC_ALL=C';
      expect(given).toContain('LC_ALL=C');
      expect(given).not.toContain('sesame');
    } finally {
      for (const name of ['PGSSLMODE', 'PGOPTIONS', 'SOME_SECRET']) delete process.env[name];
    }
  });

  // Root starts the server as somebody else, who cannot reach the directory; for everybody else it is a directory like any other.
  it('below a directory that nobody else may enter: found again when moved, empty when removed and made again', async () => {
    chmodSync(base, 0o700);
    const places: string[] = [];
    const startAt = async (name: string): Promise<EmbeddedPostgres> => {
      const server = await startEmbeddedPostgres({ directory: join(base, name) });
      started.push(server);
      places.push(realpathSync(join(base, name)));
      return server;
    };
    try {
      const first = await startAt('one');
      await query(first, 'create table kept as select 1 as n');
      await first.stop();
      renameSync(join(base, 'one'), join(base, 'two'));
      const moved = await startAt('two');
      expect(await query(moved, 'select n from kept')).toEqual([[1]]);
      await moved.stop();
      rmSync(join(base, 'two'), { recursive: true });
      const anew = await startAt('two');
      expect(await query(anew, "select to_regclass('kept')")).toEqual([[null]]);
      await anew.stop();
    } finally {
      for (const server of started.splice(0)) await server.stop();
      for (const place of places) rmSync(place, { recursive: true, force: true });
    }
  });

  it('adopts the server of a starter that was killed', async () => {
    const first = await start();
    const second = await start();
    expect([second.adopted, second.pid, second.port]).toEqual([true, first.pid, first.port]);
  });

  it('starts again after the server itself was killed', async () => {
    const first = await start();
    await query(first, 'create table kept as select 1 as n');
    process.kill(first.pid, 'SIGKILL');
    while (isRunning(first.pid, join(directory, 'cluster'))) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(readPostmaster(join(directory, 'cluster'))).toBeDefined();
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second, 'select n from kept')).toEqual([[1]]);
  });

  it('creates the cluster anew when the first creation was killed half-way', async () => {
    const first = await start();
    await first.stop();
    rmSync(join(directory, 'cluster'), { recursive: true });
    writeFileSync(join(directory, 'cluster.new'), 'half');
    expect((await start()).adopted).toBe(false);
  });

  it('says that the directory is damaged, and changes nothing in it', async () => {
    const first = await start();
    await first.stop();
    truncateSync(join(directory, 'cluster', 'global', 'pg_control'), 100);
    await expect(startEmbeddedPostgres({ directory })).rejects.toMatchObject({ code: 'data_corrupt' });
    rmSync(join(directory, 'cluster', 'PG_VERSION'));
    await expect(startEmbeddedPostgres({ directory })).rejects.toMatchObject({ code: 'data_corrupt' });
    writeFileSync(join(directory, 'cluster', 'PG_VERSION'), '9\n');
    await expect(startEmbeddedPostgres({ directory })).rejects.toMatchObject({ code: 'data_corrupt', message: expect.stringContaining('PostgreSQL 9') as unknown });
    expect(existsSync(join(directory, 'cluster', 'base'))).toBe(true);
  });

  it('says that the directory cannot be written', async () => {
    writeFileSync(join(base, 'file'), '');
    await expect(startEmbeddedPostgres({ directory: join(base, 'file', 'postgres') })).rejects.toMatchObject({ code: 'data_not_writable' });
  });
});
