import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import type { Envelope } from '#libs/contracts';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Listener } from '../listener.ts';
import { createPool } from '../pool.ts';
import { openStateDatabase } from './data-source.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { PostgresOutbox } from './postgres-outbox.ts';
import { PostgresSlackLinks } from './postgres-slack-links.ts';

describe('links of Slack accounts', () => {
  let database: TestDatabase;
  let pool: ReturnType<typeof createPool>;
  let state: DataSource;
  let listener: Listener;
  let outbox: PostgresOutbox;
  let links: PostgresSlackLinks;
  beforeAll(async () => {
    database = await testDatabase('operational');
    const url = database.url('holdfast_app');
    pool = createPool({ url, application: 'state-test', max: 4 });
    state = await openStateDatabase(url, 8);
    outbox = new PostgresOutbox(state, (listener = new Listener(url)), new AesSealer(new KeyHierarchy(new Uint8Array(32), new PostgresKeyStore(pool), Date.now)), { name: 'test', version: '1' });
    links = new PostgresSlackLinks(state, outbox, randomUUID);
  });
  afterAll(async () => {
    await listener.close();
    await state.destroy();
    await pool.end();
    await database.drop();
  });

  const offer = (account: string, digest: string, expiresAt = 1_000, tenant = 'acme') => links.offer({ tenant, team: 'T1', account, digest, expiresAt });
  /** What was recorded, newest batch last, without what processes say of themselves. */
  const told = async (): Promise<string[]> => {
    const events = (await outbox.unsent(100)).flatMap(({ records }) => records.map(({ event }) => JSON.parse(Buffer.from(event).toString()) as Envelope));
    return events.filter(({ type }) => type.startsWith('auth.')).map(({ type, actor, data, sealed }) => `${type} ${String(data['person'])} by ${actor.user} ${Object.keys(sealed).join()}`);
  };

  it('begin with an offer that is taken up once, while it is open', async () => {
    await offer('U1', 'd1');
    expect(await links.offered('d1', 999)).toEqual({ tenant: 'acme', team: 'T1', account: 'U1', digest: 'd1', expiresAt: 1_000 });
    expect([await links.offered('d1', 1_000), await links.offered('d2', 0)]).toEqual([null, null]);
    const taken = await Promise.all(Array.from({ length: 8 }, () => links.accept('d1', 'grace', 'api', 500)));
    expect(taken.filter((link) => link !== null)).toEqual([{ tenant: 'acme', team: 'T1', account: 'U1', person: 'grace' }]);
    expect([await links.personOf('acme', 'T1', 'U1'), await links.accountOf('acme', 'T1', 'grace')]).toEqual(['grace', 'U1']);
    expect([await links.personOf('globex', 'T1', 'U1'), await links.personOf('acme', 'T2', 'U1')]).toEqual([null, null]);
    expect(await told()).toEqual(['auth.account_linked grace by grace /account']);
  });

  it('are not made by an offer that is over, or that a later one replaced', async () => {
    await offer('U2', 'd2');
    expect(await links.accept('d2', 'alan', 'api', 1_000)).toBeNull();
    await offer('U2', 'd3');
    await offer('U2', 'd4');
    expect(await links.accept('d3', 'alan', 'api', 500)).toBeNull();
    expect(await links.accept('d4', 'alan', 'console', 500)).toMatchObject({ person: 'alan' });
  });

  it('are of one account and one person: a new one ends what stood in its place, and says so', async () => {
    const before = (await told()).length;
    await offer('U1', 'd5');
    // U1 was grace, and alan was U2.
    expect(await links.accept('d5', 'alan', 'api', 500)).toMatchObject({ account: 'U1', person: 'alan' });
    expect([await links.accountOf('acme', 'T1', 'grace'), await links.personOf('acme', 'T1', 'U2')]).toEqual([null, null]);
    expect((await told()).slice(before)).toEqual(['auth.account_unlinked grace by alan /account', 'auth.account_unlinked alan by alan /account', 'auth.account_linked alan by alan /account']);
  });

  it('end when the person says so, once', async () => {
    expect(await links.end('acme', 'T1', 'alan', 'api', 600)).toBe(true);
    expect(await links.end('acme', 'T1', 'alan', 'api', 600)).toBe(false);
    expect(await links.personOf('acme', 'T1', 'U1')).toBeNull();
    expect((await told()).at(-1)).toBe('auth.account_unlinked alan by alan /account');
  });
});
