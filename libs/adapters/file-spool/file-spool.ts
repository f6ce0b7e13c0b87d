import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '#libs/contracts';
import type { JournalBatch, Spool } from '#libs/ports';

const SUFFIX = '.spool';

/**
 * {@link Spool} in a directory that the brokers of an installation share: each file is named by the instance that writes it. A file is replaced as a whole (write, sync, rename, sync the directory), never half.
 */
export class FileSpool implements Spool {
  private readonly own: string;

  constructor(
    private readonly directory: string,
    instance: string,
  ) {
    this.own = `${instance}${SUFFIX}`;
  }

  async write(batches: readonly JournalBatch[]): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const target = join(this.directory, this.own);
    const file = await open(`${target}.new`, 'w', 0o600);
    try {
      // Unlike write, writeFile goes on after a short write, as a disk that fills up makes it.
      for (const batch of batches) await file.writeFile(`${encode(batch)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${target}.new`, target);
    await syncDirectory(this.directory);
  }

  async clear(): Promise<void> {
    await rm(join(this.directory, this.own), { force: true });
  }

  async orphans(instance?: string): Promise<readonly { readonly batches: readonly JournalBatch[]; remove(): Promise<void> }[]> {
    const names = await readdir(this.directory).catch((error: NodeJS.ErrnoException) => {
      // What cannot be looked at may hold outcomes: only a directory that was never made means that there are none.
      if (error.code === 'ENOENT') return [] as string[];
      throw new Refusal('data_not_writable', `cannot read ${this.directory} (${error.code ?? 'error'})`);
    });
    const wanted = instance === undefined ? undefined : `${instance}${SUFFIX}`;
    const files = names.filter((name) => name.endsWith(SUFFIX) && name !== this.own && (wanted === undefined || name === wanted)).sort();
    return Promise.all(
      files.map(async (name) => {
        const path = join(this.directory, name);
        const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
        try {
          return { batches: lines.map(decode), remove: () => rm(path) };
        } catch {
          throw new Refusal('data_corrupt', `${path} is damaged; it holds outcomes of calls that the log does not have yet: restore it, or move it away and keep it`);
        }
      }),
    );
  }
}

interface Line {
  readonly producer: string;
  readonly number: number;
  readonly records: readonly (readonly [tenant: string, event: string, sealed: string | null])[];
}

function encode(batch: JournalBatch): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const line: Line = { producer: batch.producer, number: batch.number, records: batch.records.map((record) => [record.tenant, base64(record.event), record.sealed && base64(record.sealed)]) };
  return JSON.stringify(line);
}

function decode(text: string): JournalBatch {
  const line = JSON.parse(text) as Line;
  return {
    producer: line.producer,
    number: line.number,
    records: line.records.map(([tenant, event, sealed]) => ({ tenant, event: Buffer.from(event, 'base64'), sealed: sealed === null ? null : Buffer.from(sealed, 'base64') })),
  };
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
