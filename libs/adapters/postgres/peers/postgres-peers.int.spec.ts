import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { createPool } from '../pool.ts';
import { PostgresPeers } from './postgres-peers.ts';

/** Shows what lies in the server's files, and is opened by those who have the key only. */
const sealer = (key: string) => ({
  seal: (text: string) => Buffer.from(`${key}${text}`).toString('base64url'),
  open: (sealed: string) => {
    const text = Buffer.from(sealed, 'base64url').toString();
    return text.startsWith(key) ? text.slice(key.length) : null;
  },
});

describe('word between brokers', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const open: PostgresPeers[] = [];
  const state = { alone: false };
  const errors: unknown[] = [];
  beforeAll(async () => {
    database = await testDatabase('operational');
    pool = createPool({ url: database.url('holdfast_app'), application: 'peers-test', max: 4 });
  });
  afterEach(async () => {
    for (const peers of open.splice(0)) await peers.close();
    errors.length = 0;
    state.alone = false;
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const join = (heard: string[], key = 'k'): PostgresPeers => {
    const peers = new PostgresPeers({ pool, url: database.url('holdfast_app'), sealer: sealer(key), alone: () => state.alone, onError: (error) => errors.push(error) });
    open.push(peers);
    peers.hear((word) => heard.push(word));
    return peers;
  };
  /** Both hear each other from here on. */
  async function pair(key?: string): Promise<{ one: PostgresPeers; other: PostgresPeers; atOne: string[]; atOther: string[] }> {
    const [atOne, atOther]: [string[], string[]] = [[], []];
    const [one, other] = [join(atOne), join(atOther, key)];
    if (key === undefined) {
      while (!atOther.includes('?')) {
        one.tell('?');
        await sleep(20);
      }
      while (!atOne.includes('?')) {
        other.tell('?');
        await sleep(20);
      }
      one.tell('!');
      while (!atOther.includes('!')) await sleep(5);
      atOne.length = 0;
      atOther.length = 0;
    }
    return { one, other, atOne, atOther };
  }

  it('reaches the others in order, whole whatever its size, and never the teller', async () => {
    const { one, atOne, atOther } = await pair();
    const words = ['a', 'ü'.repeat(100_000), '{"x":"\u2028 \\u0000"}', 'last'];
    for (const word of words) one.tell(word);
    while (!atOther.includes('last')) await sleep(5);
    expect(atOther).toEqual(words);
    expect(atOne).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('does not mix the parts of two tellers', async () => {
    const { one, other, atOne, atOther } = await pair();
    const long = (letter: string): string => letter.repeat(50_000);
    for (let round = 0; round < 5; round++) {
      one.tell(`${long('a')}${round}`);
      other.tell(`${long('b')}${round}`);
    }
    while (atOne.length < 5 || atOther.length < 5) await sleep(5);
    expect(atOther.map((word) => word.slice(-2))).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
    expect(atOne.map((word) => word.slice(-2))).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
  });

  it('is not said when nobody is there, when it is too large, and not heard without the key or in another form', async () => {
    const { one, atOther } = await pair();
    state.alone = true;
    one.tell('nobody');
    state.alone = false;
    one.tell('x'.repeat(10_000_000));
    for (const payload of ['', 'a b c d', 'a 1 0 0 x', 'a 1 5 2 x', 'a 1 0 99999999 x', 'a 1 0 1 nonsense']) await pool.query('select pg_notify($1, $2)', ['holdfast_peers', payload]);
    one.tell('heard');
    while (atOther.length === 0) await sleep(5);
    expect(atOther).toEqual(['heard']);
    const strange: string[] = [];
    join(strange, 'other key');
    await sleep(100);
    one.tell('again');
    while (atOther.length < 2) await sleep(5);
    await sleep(50);
    expect(strange).toEqual([]);
  });

  it('is heard again after the connection was lost', async () => {
    const { one, atOther } = await pair();
    await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast-wake' and datname = current_database()`);
    while (!atOther.includes('back')) {
      one.tell('back');
      await sleep(100);
    }
    expect(errors).toEqual([]);
  });
});
