import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** CPU and memory of one part of a server: a process, or several that do the same. */
export interface Part {
  /** CPU used so far, in microseconds, children that have ended included. */
  readonly cpuUs: number;
  /** Memory in KiB; pages shared between processes are counted in shares, so parts can be added up. */
  readonly memoryKib: number;
}
export type Parts = ReadonlyMap<string, Part>;

export interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Clock ticks: user and system, of itself and of the children it has waited for. */
  readonly ticks: number;
}

// USER_HZ, which is 100 on every Linux that Node runs on.
const TICK_US = 10_000;

/** One line of /proc/<pid>/stat. The name stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(line: string): ProcessLine {
  const [open, close] = [line.indexOf('('), line.lastIndexOf(')')];
  const fields = line.slice(close + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return { pid: Number(line.slice(0, open)), parent: Number(fields[1]), name: line.slice(open + 1, close), ticks };
}

/** The given processes and all that descend from them. */
export function descend(all: readonly ProcessLine[], roots: readonly number[]): ProcessLine[] {
  const wanted = new Set(roots);
  // Parents may be listed after their children: as many passes as the tree is deep.
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid));
}

/**
 * What a process is for: PostgreSQL backends by the user they serve, its background processes as one part, Node processes by the
 * folder of their script, the first root as `main`.
 */
export function partOf(process: { readonly name: string; readonly commandLine: string; readonly isMain: boolean }): string {
  if (process.isMain) return 'main';
  const [, user] = /^postgres: (\S+) \S+ (?:\S+\(\d+\)|\[local\])/.exec(process.commandLine) ?? [];
  if (user !== undefined) return `postgres ${user}`;
  if (process.name.startsWith('postgres')) return 'postgres background';
  const script = process.commandLine.split('\0').find((argument) => /\.m?[jt]s$/.test(argument));
  if (script === undefined) return process.name;
  return basename(script).startsWith('main.') ? basename(dirname(script)) : basename(script).replace(/\.m?[jt]s$/, '');
}

/** All parts of a server that is made of `roots` and what descends from them; undefined where there is no /proc. */
export function readParts(roots: readonly number[]): Parts | undefined {
  const all = readAll();
  if (!all) return undefined;
  const parts = new Map<string, Part>();
  for (const process of descend(all, roots)) {
    const name = partOf({ name: process.name, commandLine: read(process.pid, 'cmdline') ?? '', isMain: process.pid === roots[0] });
    const before = parts.get(name) ?? { cpuUs: 0, memoryKib: 0 };
    parts.set(name, { cpuUs: before.cpuUs + process.ticks * TICK_US, memoryKib: before.memoryKib + memoryOf(process.pid) });
  }
  return parts;
}

/** CPU of each part between two readings. A part that has appeared counts whole, one that has gone is in its parent's. */
export function cpuBetween(before: Parts, after: Parts): ReadonlyMap<string, number> {
  return new Map([...after].map(([name, { cpuUs }]) => [name, Math.max(0, cpuUs - (before.get(name)?.cpuUs ?? 0))]));
}

function readAll(): ProcessLine[] | undefined {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        const line = read(Number(pid), 'stat');
        return line === undefined ? [] : [parseStat(line)];
      });
  } catch {
    return undefined;
  }
}

function memoryOf(pid: number): number {
  const [, shared] = /^Pss:\s+(\d+) kB/m.exec(read(pid, 'smaps_rollup') ?? '') ?? [];
  const [, resident] = shared === undefined ? (/^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status') ?? '') ?? []) : [];
  return Number(shared ?? resident ?? 0);
}

/** Undefined when the process has ended meanwhile or is not ours to read. */
function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
