import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivate } from './data-directory.ts';

/** How the command line finds the Holdfast that runs on a data directory. Readable by the owner of the directory only. */
export interface Running {
  readonly pid: number;
  readonly url: string;
  /** A token per tenant for the person at this machine, made anew at each start. */
  readonly tokens: Readonly<Record<string, string>>;
}

const file = (data: string): string => join(data, 'running.json');

export function writeRunning(data: string, running: Running): void {
  writePrivate(file(data), JSON.stringify(running));
}

export function readRunning(data: string): Running | undefined {
  if (!existsSync(file(data))) return undefined;
  try {
    return JSON.parse(readFileSync(file(data), 'utf8')) as Running;
  } catch {
    return undefined;
  }
}

export function removeRunning(data: string): void {
  rmSync(file(data), { force: true });
}
