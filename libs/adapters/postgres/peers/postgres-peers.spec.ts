import { describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { PostgresPeers } from './postgres-peers.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what waits to be told', () => {
  it('is bounded in number and in size, and there is room again afterwards', async () => {
    const waiting: (() => void)[] = [];
    const query = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
    const options = { url: 'postgres://127.0.0.1:1/x', sealer: { seal: (text: string) => text.slice(0, 10), open: () => null }, alone: () => false, onError: () => undefined };
    const peers = new PostgresPeers({ ...options, pool: { query } as unknown as pg.Pool });
    const flush = async (): Promise<number> => {
      let told = 0;
      await tick();
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        told++;
        next();
        await tick();
      }
      return told;
    };
    for (let n = 0; n < 500; n++) peers.tell('small');
    expect(await flush()).toBe(201);
    for (let n = 0; n < 50; n++) peers.tell('x'.repeat(4 << 20));
    expect(await flush()).toBe(9);
    peers.tell('again');
    expect(await flush()).toBe(1);
  });
});
