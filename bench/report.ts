import type { LoadReport } from './load.ts';
import { type Combination, nameOf, QUICK } from './matrix.ts';

export const TARGETS = ['direct', 'relay', 'holdfast'] as const;
export type TargetName = (typeof TARGETS)[number];

/** One target under one load in one round. */
export interface Measurement {
  readonly round: number;
  readonly combination: Combination;
  readonly target: TargetName;
  readonly sessions: number;
  readonly load: LoadReport;
  /** Microseconds of CPU per call, by part of the server; undefined where the system does not tell. */
  readonly cpuUs?: Readonly<Record<string, number>>;
  readonly memoryMib?: Readonly<Record<string, number>>;
  /** Holdfast: events the projector was behind when the load ended, and how long it took to take them. */
  readonly projector?: { readonly lag: number | undefined; readonly caughtUpMs: number | undefined };
}

/** The medians of all rounds of one target with one kind of call at one number of sessions. */
export interface Row {
  readonly combination: Combination;
  readonly target: TargetName;
  readonly sessions: number;
  readonly rps: number;
  /** Throughput as a share of the bare relay in the same round. */
  readonly share: number | undefined;
  /** The same of direct calls. */
  readonly shareOfDirect: number | undefined;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Latency above the bare relay and above direct calls in the same round. */
  readonly overRelayP50: number | undefined;
  readonly overDirectP50: number | undefined;
  readonly cpuUs: number | undefined;
  readonly cpuByPart: Readonly<Record<string, number>>;
  readonly memoryMib: number | undefined;
  readonly memoryByPart: Readonly<Record<string, number>>;
  readonly lag: number | undefined;
  readonly caughtUpMs: number | undefined;
  /** Of all rounds: calls without their own answer. */
  readonly wrong: number;
}

export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function summarize(measurements: readonly Measurement[]): Row[] {
  return grouped(measurements, ({ combination }) => nameOf(combination)).flatMap((alike) =>
    grouped(alike, ({ sessions }) => String(sessions)).flatMap((beside) =>
      TARGETS.flatMap((target) => {
        const own = beside.filter((one) => one.target === target);
        return own.length === 0 ? [] : [row(target, own, beside)];
      }),
    ),
  );
}

/** `beside` are all measurements of the same calls at the same number of sessions, those of the target among them. */
function row(target: TargetName, own: readonly Measurement[], beside: readonly Measurement[]): Row {
  // Ratios are made within a round, because a shared machine is faster in one minute than in another.
  const against = (reference: TargetName, ratio: (one: LoadReport, other: LoadReport) => number): number | undefined =>
    median(
      own.map(({ round, load }) => {
        const other = beside.find((one) => one.round === round && one.target === reference);
        return other && ratio(load, other.load);
      }),
    );
  const parts = (read: (one: Measurement) => Readonly<Record<string, number>> | undefined): Record<string, number> => {
    const names = new Set(own.flatMap((one) => Object.keys(read(one) ?? {})));
    return Object.fromEntries([...names].map((name) => [name, median(own.map((one) => read(one)?.[name])) ?? 0]));
  };
  const sum = (read: (one: Measurement) => Readonly<Record<string, number>> | undefined): number | undefined =>
    median(own.map((one) => (read(one) === undefined ? undefined : Object.values(read(one)!).reduce((total, value) => total + value, 0))));
  const [{ combination, sessions }] = own as [Measurement];
  return {
    combination,
    target,
    sessions,
    rps: median(own.map(({ load }) => load.rps))!,
    share: against('relay', (one, relay) => one.rps / relay.rps),
    shareOfDirect: against('direct', (one, direct) => one.rps / direct.rps),
    p50: median(own.map(({ load }) => load.latencyMs.p50))!,
    p99: median(own.map(({ load }) => load.latencyMs.p99))!,
    max: Math.max(...own.map(({ load }) => load.latencyMs.max)),
    overRelayP50: against('relay', (one, relay) => one.latencyMs.p50 - relay.latencyMs.p50),
    overDirectP50: against('direct', (one, direct) => one.latencyMs.p50 - direct.latencyMs.p50),
    cpuUs: sum((one) => one.cpuUs),
    cpuByPart: parts((one) => one.cpuUs),
    memoryMib: sum((one) => one.memoryMib),
    memoryByPart: parts((one) => one.memoryMib),
    lag: median(own.map((one) => one.projector?.lag)),
    caughtUpMs: median(own.map((one) => one.projector?.caughtUpMs)),
    wrong: own.reduce((total, { load }) => total + load.calls - load.kinds.answered, 0),
  };
}

/** In the order in which each group begins. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

const digits = (value: number | undefined, places: number): string => (value === undefined ? '–' : value.toFixed(places));

/** The tables that people read, one for each kind of call; everything else is in the JSON. */
export function table(rows: readonly Row[]): string {
  return grouped(rows, ({ combination }) => nameOf(combination))
    .map((alike) => `${nameOf(alike[0]!.combination)}\n${tableOf(alike)}`)
    .join('\n\n');
}

function tableOf(rows: readonly Row[]): string {
  const head = ['sessions', 'target', 'calls/s', 'of relay', 'of direct', 'p50 ms', 'p99 ms', 'max ms', '+p50 direct', 'CPU µs/call', 'MiB', 'lag', 'wrong'];
  const body = rows.map((row) => [
    String(row.sessions),
    row.target,
    digits(row.rps, 0),
    row.target === 'relay' ? '1' : digits(row.share, 2),
    row.target === 'direct' ? '1' : digits(row.shareOfDirect, 2),
    digits(row.p50, 2),
    digits(row.p99, 2),
    digits(row.max, 1),
    row.target === 'direct' ? '–' : digits(row.overDirectP50, 2),
    digits(row.cpuUs, 0),
    digits(row.memoryMib, 0),
    digits(row.lag, 0),
    String(row.wrong),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]!.length)));
  const print = (cells: readonly string[]): string => cells.map((cell, column) => (column === 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ');
  return [print(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(print)].join('\n');
}

/** Where the CPU and the memory of Holdfast went, with each kind of call at each number of sessions. */
export function breakdown(rows: readonly Row[]): string {
  return rows
    .filter(({ target }) => target === 'holdfast')
    .map(({ combination, sessions, cpuByPart, memoryByPart }) => {
      const parts = Object.keys(cpuByPart).toSorted((a, b) => cpuByPart[b]! - cpuByPart[a]!);
      return `  ${nameOf(combination)}, ${sessions} sessions: ${parts.map((part) => `${part} ${digits(cpuByPart[part], 0)} µs ${digits(memoryByPart[part], 0)} MiB`).join(' · ')}`;
    })
    .join('\n');
}

/** The targets of this step, each with what was measured for it; they are set for the quick calls. */
export function goals(all: readonly Row[]): { readonly goal: string; readonly measured: string; readonly met: boolean }[] {
  const rows = all.filter(({ combination }) => nameOf(combination) === nameOf(QUICK));
  const at = (sessions: number): Row | undefined => rows.find((row) => row.target === 'holdfast' && row.sessions === sessions);
  const [one, many] = [at(1), at(32)];
  return [
    ...(many ? [{ goal: '32 sessions: at least 1,500 calls/s', measured: `${digits(many.rps, 0)} calls/s`, met: many.rps >= 1500 }] : []),
    ...(one ? [{ goal: '1 session: p50 less than 3 ms above direct', measured: `${digits(one.overDirectP50, 2)} ms`, met: (one.overDirectP50 ?? Infinity) < 3 }] : []),
    ...rows
      .filter(({ target, share }) => target === 'holdfast' && share !== undefined)
      .map((row) => ({ goal: `${row.sessions} sessions: 0.35 of the bare relay or more`, measured: digits(row.share, 2), met: row.share! >= 0.35 })),
    ...(many ? [{ goal: '32 sessions: at most 400 µs of broker CPU a call', measured: `${digits(many.cpuByPart['main'], 0)} µs`, met: (many.cpuByPart['main'] ?? Infinity) <= 400 }] : []),
  ];
}
