import { isCallEvent } from '../calls/fold-call.ts';
import { readEvent } from '../event/read-event.ts';
import { base64url, sha256 } from '../sha256.ts';
import { ProducerContinuity } from '../verify/producer-continuity.ts';
import { type PropertyResult, type Verdict, verdictOf } from '../verify/property.ts';
import { type CallHistory, type InvariantId, judge } from './call-history.ts';

export interface CheckedEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
}

export interface Violation {
  readonly invariant: InvariantId;
  readonly index: number;
  readonly call?: string;
  readonly sentence: string;
}

export interface CheckReport {
  readonly entries: number;
  readonly verdict: Verdict;
  /** One line per invariant. */
  readonly properties: readonly PropertyResult[];
  readonly violations: readonly Violation[];
  /** Nothing wrong, but worth knowing. */
  readonly notes: readonly string[];
  /** Allowed calls without an outcome so far: their brokers may be running. */
  readonly open: { readonly count: number; readonly calls: readonly string[] };
}

export interface CheckOptions {
  /** Everything has stopped and been settled: a call without an outcome is a violation, not a call under way. */
  readonly closed?: boolean;
  readonly progress?: (done: number) => void;
}

/** Lists in a report stop here; counts go on. */
const MAX_LISTED = 100;
/** Ended calls that are remembered, so that a second end is called by its name; beyond, it is an end without an allow. */
const MAX_ENDED = 50_000;

const TITLES: Readonly<Record<InvariantId, string>> = {
  I1: 'no effect without a durable reason',
  I2: 'no answer without a durable outcome',
  I3: 'at most once, and honest about doubt',
  I7: 'gaps are visible',
};

/**
 * The invariants on a history: one pass over the events of one log from its beginning, in log order. Memory is bounded by the calls
 * that are open or in doubt, plus a fixed number of ended ones.
 */
export async function auditCheck(log: AsyncIterable<readonly CheckedEntry[]>, options: CheckOptions = {}): Promise<CheckReport> {
  const check = new Check();
  for await (const page of log) {
    for (const entry of page) check.take(entry);
    options.progress?.(check.entries);
  }
  return check.report(options.closed === true);
}

class Check {
  entries = 0;
  private readonly open = new Map<string, CallHistory>();
  private readonly ended = new Map<string, CallHistory>();
  private readonly continuity = new ProducerContinuity(null);
  private readonly counts = new Map<InvariantId, { count: number; first: Violation }>();
  private readonly violations: Violation[] = [];
  private readonly notes: string[] = [];
  private noteCount = 0;

  take({ index, bytes }: CheckedEntry): void {
    this.entries++;
    const reading = readEvent(bytes);
    if ('rejected' in reading) {
      this.violate({ invariant: 'I7', index, sentence: `entry ${index} is no event of the catalogue` });
      return;
    }
    const { event, seq } = reading;
    const problem = this.continuity.next(event, seq, base64url(sha256(bytes)), index);
    if (problem && !(problem instanceof Promise)) this.violate({ invariant: 'I7', ...problem });
    if (event.type === 'log.event_rejected') this.note(`the journal held something at position ${event.data.position} that is no acceptable event (${event.data.reason}); entry ${index} says so`);
    if (!isCallEvent(event)) return;
    const { call } = event.links;
    const history = this.open.get(call) ?? this.ended.get(call) ?? { call };
    const judgement = judge(history, event, index);
    this.keep(history);
    if (judgement?.invariant === 'note') this.note(judgement.sentence);
    else if (judgement) this.violate({ invariant: judgement.invariant, index, call, sentence: judgement.sentence });
  }

  report(closed: boolean): CheckReport {
    for (const problem of this.continuity.missing()) this.violate({ invariant: 'I7', ...problem });
    const undecided = [...this.open.values()].filter((history) => !history.allowed && history.held === undefined);
    const running = [...this.open.values()].filter((history) => history.allowed && !history.ended);
    if (closed) for (const { call, allowed } of running) this.violate({ invariant: 'I2', index: allowed!.index, call, sentence: `call ${call} was allowed at ${allowed!.index} and has no outcome` });
    if (undecided.length > 0) this.note(`${undecided.length} calls were requested and never judged; nothing was carried out for them`);
    if (this.continuity.late > 0) this.note(`${this.continuity.late} events came after their successors`);
    if (this.noteCount > this.notes.length) this.notes.push(`and ${this.noteCount - this.notes.length} more notes`);
    const properties = (['I1', 'I2', 'I3', 'I7'] as const).map((invariant) => this.result(invariant, closed ? 0 : running.length));
    return {
      entries: this.entries,
      verdict: verdictOf(this.entries, properties),
      properties,
      violations: this.violations,
      notes: this.notes,
      open: { count: running.length, calls: running.slice(0, MAX_LISTED).map((history) => history.call) },
    };
  }

  /** Calls that can still become something stay; the ended ones go when there are too many. */
  private keep(history: CallHistory): void {
    const { call, ended, denied, allowed } = history;
    const isOver = ended ? ended.how !== 'unknown' : denied !== undefined && !allowed;
    (isOver ? this.open : this.ended).delete(call);
    (isOver ? this.ended : this.open).set(call, history);
    if (this.ended.size <= MAX_ENDED) return;
    for (const oldest of this.ended.keys()) {
      this.ended.delete(oldest);
      return;
    }
  }

  private result(invariant: InvariantId, running: number): PropertyResult {
    const property = `${invariant} ${TITLES[invariant]}`;
    const found = this.counts.get(invariant);
    if (found) {
      const more = found.count === 1 ? '' : ` (and ${found.count - 1} more)`;
      return { property, status: 'FAIL', sentence: `${found.first.sentence}${more}`, index: found.first.index };
    }
    if (invariant === 'I2' && running > 0) return { property, status: 'NOT CHECKED', sentence: `${running} allowed calls have no outcome yet; their brokers may be running, so check again` };
    return { property, status: 'PASS', sentence: HOLDS[invariant] };
  }

  private violate(violation: Violation): void {
    const known = this.counts.get(violation.invariant);
    if (known) known.count++;
    else this.counts.set(violation.invariant, { count: 1, first: violation });
    if (this.violations.length < MAX_LISTED) this.violations.push(violation);
  }

  private note(sentence: string): void {
    this.noteCount++;
    if (this.notes.length < MAX_LISTED) this.notes.push(sentence);
  }
}

const HOLDS: Readonly<Record<InvariantId, string>> = {
  I1: 'every outcome stands after a request and an allowing decision',
  I2: 'every allowed call has an outcome: known, abandoned or unknown',
  I3: 'no call was allowed twice or ended twice',
  I7: 'every producer is complete and in order',
};
