import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Pool } from 'undici';
import type { AnswerKind, Judged } from './answer.ts';
import { openLoop, type Timeline } from './arrivals.ts';
import { Histogram } from './histogram.ts';
import { connect, type LoadTarget, McpSession } from './mcp-session.ts';

export type { AnswerKind } from './answer.ts';
export type { LoadTarget } from './mcp-session.ts';

export interface Answer {
  /** Unique in this run and among runs: what was sent in the argument, and what the tool gave back. */
  readonly payload: string;
  readonly kind: AnswerKind;
  readonly detail?: string;
  readonly callId?: string;
  readonly latencyMs: number;
}

export interface LoadOptions {
  readonly target: LoadTarget;
  readonly sessions: number;
  /** Closed: each session has one call on its way. Open: calls arrive at this rate, spread over the sessions. */
  readonly ratePerSecond?: number;
  readonly seconds: number;
  /** Calls of this long before measuring starts are made and checked, but not counted. */
  readonly warmupSeconds?: number;
  /** Length of each payload in characters. */
  readonly payloadLength?: number;
  /** Open loop: calls on their way at once; 256 when not given. */
  readonly maxInFlight?: number;
  /** How long to keep trying while nothing answers at all (the server restarts); 0 ends the run at the first broken call. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  /** Every call that ended, in the order in which they ended, warm-up included. */
  readonly onAnswer?: (answer: Answer) => void;
}

export interface LoadReport {
  readonly mode: 'closed' | 'open';
  readonly sessions: number;
  readonly seconds: number;
  /** Calls that ended while measuring, of any kind. */
  readonly calls: number;
  /** Calls per second that were answered with their own result. */
  readonly rps: number;
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max' | 'mean', number>>;
  readonly kinds: Readonly<Record<AnswerKind, number>>;
  /** What was not answered, counted by code or status; at most 20 different ones. */
  readonly details: Readonly<Record<string, number>>;
  /** CPU that this process used while measuring, in microseconds per call. */
  readonly generatorCpuUs: number;
}

const RETRY_MS = 25;
const MAX_DETAILS = 20;

/** Runs a load and reports it. Rejects when the target cannot be spoken to, or falls silent for longer than `patienceMs`. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const open = options.ratePerSecond !== undefined;
  const pool = connect(options.target, open ? (options.maxInFlight ?? 256) : options.sessions);
  try {
    const run = new Run(options, pool);
    return open ? await run.open(options.ratePerSecond) : await run.closed();
  } finally {
    await pool.destroy();
  }
}

/** A call that ended, before anybody knows how long it took. */
interface Ended {
  readonly payload: string;
  readonly judged: Judged;
}

class Run {
  private readonly nonce = randomBytes(6).toString('hex');
  private readonly tally = new Tally();
  /** An open session or one that is being opened; undefined when the next call has to open it again. */
  private readonly sessions: (Promise<McpSession> | undefined)[];
  private readonly calls: number[];
  private lastAnswerAt = performance.now();
  private measuring = false;

  constructor(
    private readonly options: LoadOptions,
    private readonly pool: Pool,
  ) {
    this.sessions = Array.from({ length: options.sessions }, () => undefined);
    this.calls = this.sessions.map(() => 0);
  }

  async closed(): Promise<LoadReport> {
    await this.introduce();
    const during = async (seconds: number): Promise<void> => {
      const end = performance.now() + seconds * 1000;
      await Promise.all(
        this.sessions.map(async (_, session) => {
          while (performance.now() < end && !this.stopped) {
            const sentAt = performance.now();
            const ended = await this.call(session);
            if (ended) this.count(ended, performance.now() - sentAt);
          }
        }),
      );
    };
    await during(this.options.warmupSeconds ?? 0);
    return this.measured('closed', () => during(this.options.seconds));
  }

  async open(ratePerSecond: number): Promise<LoadReport> {
    await this.introduce();
    const during = async (seconds: number): Promise<void> => {
      const ended = new Map<number, Ended>();
      const { maxInFlight = 256, signal } = this.options;
      await openLoop(
        wallTime,
        { ratePerSecond, arrivals: Math.round(ratePerSecond * seconds), maxInFlight, ...(signal && { signal }) },
        async (arrival) => {
          const one = await this.call(arrival % this.sessions.length);
          if (one) ended.set(arrival, one);
        },
        (arrival, latencyMs) => {
          const one = ended.get(arrival);
          ended.delete(arrival);
          if (one) this.count(one, latencyMs);
        },
      );
    };
    await during(this.options.warmupSeconds ?? 0);
    return this.measured('open', () => during(this.options.seconds));
  }

  private get stopped(): boolean {
    return this.options.signal?.aborted === true;
  }

  private async introduce(): Promise<void> {
    await Promise.all(this.sessions.map((_, session) => this.session(session)));
  }

  private session(index: number): Promise<McpSession> {
    return (this.sessions[index] ??= McpSession.open(this.pool, this.options.target));
  }

  /** One call of a session; undefined when nothing was sent, because the session could not be opened and the run is to go on. */
  private async call(index: number): Promise<Ended | undefined> {
    const number = (this.calls[index] = this.calls[index]! + 1);
    const payload = `${this.nonce}-${index}-${number}`.padEnd(this.options.payloadLength ?? 0, '.');
    const opening = this.session(index);
    let session: McpSession | undefined;
    try {
      session = await opening;
      const judged = await session.call(payload);
      this.lastAnswerAt = performance.now();
      if (judged.status === 404) this.forget(index, opening);
      return { payload, judged };
    } catch (error) {
      this.forget(index, opening);
      if (!this.stopped && performance.now() - this.lastAnswerAt > (this.options.patienceMs ?? 0)) throw error;
      await sleep(RETRY_MS);
      return session && { payload, judged: { kind: 'broken', detail: codeOf(error) } };
    }
  }

  /** Unless another call has already opened it again. */
  private forget(index: number, opening: Promise<McpSession>): void {
    if (this.sessions[index] === opening) this.sessions[index] = undefined;
  }

  private count({ payload, judged }: Ended, latencyMs: number): void {
    if (this.measuring) this.tally.add(judged, latencyMs);
    const { kind, detail, callId } = judged;
    this.options.onAnswer?.({ payload, kind, latencyMs, ...(detail !== undefined && { detail }), ...(callId !== undefined && { callId }) });
  }

  private async measured(mode: LoadReport['mode'], work: () => Promise<void>): Promise<LoadReport> {
    this.measuring = true;
    const [cpu, started] = [process.cpuUsage(), performance.now()];
    await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { mode, sessions: this.sessions.length, seconds, ...this.tally.report(seconds), generatorCpuUs: (user + system) / Math.max(1, this.tally.calls) };
  }
}

class Tally {
  private readonly histogram = new Histogram();
  private readonly kinds: Record<AnswerKind, number> = { answered: 0, refused: 0, tool_error: 0, rpc_error: 0, http_error: 0, mismatched: 0, broken: 0 };
  private readonly details = new Map<string, number>();

  get calls(): number {
    return Object.values(this.kinds).reduce((sum, count) => sum + count, 0);
  }

  add({ kind, detail = '' }: Judged, latencyMs: number): void {
    this.kinds[kind] += 1;
    if (kind === 'answered') {
      this.histogram.record(latencyMs * 1000);
      return;
    }
    const key = `${kind} ${detail}`.trim();
    if (this.details.has(key) || this.details.size < MAX_DETAILS) this.details.set(key, (this.details.get(key) ?? 0) + 1);
  }

  report(seconds: number): Pick<LoadReport, 'calls' | 'rps' | 'latencyMs' | 'kinds' | 'details'> {
    const ms = (percent: number): number => this.histogram.percentile(percent) / 1000;
    return {
      calls: this.calls,
      rps: this.kinds.answered / seconds,
      latencyMs: { p50: ms(50), p90: ms(90), p99: ms(99), max: this.histogram.max / 1000, mean: this.histogram.mean / 1000 },
      kinds: { ...this.kinds },
      details: Object.fromEntries(this.details),
    };
  }
}

/** Timers are whole milliseconds: the last stretch yields to the event loop instead of sleeping past the moment. */
const wallTime: Timeline = {
  now: () => performance.now(),
  async sleepUntil(ms) {
    const rest = ms - performance.now();
    if (rest > 2) await sleep(rest - 1);
    while (performance.now() < ms) await new Promise((resolve) => setImmediate(resolve));
  },
};

const codeOf = (error: unknown): string => (error instanceof Error ? ((error as { code?: string }).code ?? error.name) : 'unknown');

/** node dist/bench/load.js --url URL --tool NAME [--token T] [--argument message] [--sessions 8] [--seconds 5] [--rate N] */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      tool: { type: 'string' },
      token: { type: 'string' },
      argument: { type: 'string' },
      sessions: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '1' },
      rate: { type: 'string' },
    },
  });
  if (values.url === undefined || values.tool === undefined) throw new Error('--url and --tool are needed');
  const target = { url: values.url, tool: values.tool, ...(values.token !== undefined && { token: values.token }), ...(values.argument !== undefined && { argument: values.argument }) };
  const report = await runLoad({
    target,
    sessions: Number(values.sessions),
    seconds: Number(values.seconds),
    warmupSeconds: Number(values.warmup),
    ...(values.rate !== undefined && { ratePerSecond: Number(values.rate) }),
  });
  console.log(JSON.stringify(report, null, 2));
  if (report.kinds.answered !== report.calls) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
