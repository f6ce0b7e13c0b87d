import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JournalBatch } from '#libs/ports';
import { FileSpool } from './file-spool.ts';

const batch = (number: number, sealed: Uint8Array | null = null): JournalBatch => ({ producer: 'p', number, records: [{ tenant: 'acme', event: Buffer.from(`{"n":${number}}`), sealed }] });

describe('FileSpool', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-spool-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('gives the next process what this one wrote last, byte for byte and in order, until it is removed', async () => {
    const dead = new FileSpool(directory, 'dead');
    await dead.write([batch(1)]);
    await dead.write([batch(1), batch(2, Buffer.from([0, 255, 10]))]);
    const next = new FileSpool(directory, 'next');
    const [orphan] = await next.orphans();
    expect(orphan!.batches.map((found) => ({ ...found, records: found.records.map((record) => ({ ...record, event: Buffer.from(record.event), sealed: record.sealed && Buffer.from(record.sealed) })) }))).toEqual([batch(1), batch(2, Buffer.from([0, 255, 10]))]);
    await orphan!.remove();
    expect(await next.orphans()).toEqual([]);
  });

  it('gives what one process left without touching what another one, which may be running, keeps there', async () => {
    const [dead, other] = [new FileSpool(directory, 'dead'), new FileSpool(directory, 'other')];
    await dead.write([batch(1)]);
    await other.write([batch(2)]);
    const found = await new FileSpool(directory, 'next').orphans('dead');
    expect(found.map(({ batches }) => batches.map(({ number }) => number))).toEqual([[1]]);
    await found[0]!.remove();
    expect(readdirSync(directory)).toEqual(['other.spool']);
    expect(await new FileSpool(directory, 'next').orphans('dead')).toEqual([]);
  });

  it('is not its own orphan, and leaves nothing when cleared', async () => {
    const spool = new FileSpool(directory, 'own');
    await spool.write([batch(1)]);
    expect(await spool.orphans()).toEqual([]);
    await spool.clear();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('a write that was cut by a crash is not mistaken for a spool', async () => {
    writeFileSync(join(directory, 'dead.spool.new'), '{"producer":"p","number":1,"rec');
    expect(await new FileSpool(directory, 'next').orphans()).toEqual([]);
  });

  it('there being no directory yet means there is nothing left behind', async () => {
    expect(await new FileSpool(join(directory, 'none'), 'x').orphans()).toEqual([]);
  });

  it('refuses what it cannot read, instead of taking it for nothing', async () => {
    writeFileSync(join(directory, 'dead.spool'), '{"producer":"p","number":1,"rec');
    await expect(new FileSpool(directory, 'next').orphans()).rejects.toMatchObject({ code: 'data_corrupt' });
    await expect(new FileSpool(join(directory, 'dead.spool'), 'next').orphans()).rejects.toMatchObject({ code: 'data_not_writable' });
  });
});
