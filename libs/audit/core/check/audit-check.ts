import { isCallEvent } from '../calls/fold-call.ts';
import { readEvent } from '../event/read-event.ts';
import { base64url, sha256 } from '../sha256.ts';
import { ProducerContinuity } from '../verify/producer-continuity.ts';
import { type PropertyResult, type Verdict, verdictOf } from '../verify/property.ts';
import { Approvals, isApprovalEvent } from './approvals.ts';
import { type CallHistory, isOver, judge } from './call-history.ts';
import { Ended } from './ended.ts';
import type { InvariantId, Say } from './judgement.ts';

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

const TITLES: Readonly<Record<InvariantId, string>> = {
  I1: 'no effect without a durable reason',
  I2: 'no answer without a durable outcome',
  I3: 'at most once, and honest about doubt',
  I4: 'an approval fits one call exactly',
  I7: 'gaps are visible',
};

/**
 * The invariants on a history: one pass over the events of one log from its beginning, in log order. Memory is bounded by the calls
 * and approvals that are open or in doubt, plus a fixed number of ended ones.
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
  private readonly ended = new Ended<CallHistory>();
  private readonly approvals = new Approvals();
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
    const { call } = event.links;
    const history = call === undefined ? undefined : (this.open.get(call) ?? this.ended.get(call) ?? { call });
    const say: Say = (invariant, sentence) => (invariant === 'note' ? this.note(sentence) : this.violate({ invariant, index, ...(call === undefined ? {} : { call }), sentence }));
    if (isApprovalEvent(event)) this.approvals.take(event, index, history, say);
    if (!history || !isCallEvent(event)) return;
    const judgement = judge(history, event, index);
    if (judgement) say(judgement.invariant, judgement.sentence);
    this.keep(history);
  }

  report(closed: boolean): CheckReport {
    for (const problem of this.continuity.missing()) this.violate({ invariant: 'I7', ...problem });
    const undecided = [...this.open.values()].filter((history) => !history.allowed && history.held === undefined);
    const running = [...this.open.values()].filter((history) => history.allowed && !history.ended);
    if (closed) for (const { call, allowed } of running) this.violate({ invariant: 'I2', index: allowed!.index, call, sentence: `call ${call} was allowed at ${allowed!.index} and has no outcome` });
    const unsettled = this.approvals.unsettled();
    if (closed) for (const { approval, call, since } of unsettled) this.violate({ invariant: 'I3', index: since.index, call, sentence: `approval ${approval} was claimed at ${since.index}, and nobody has said what became of it` });
    else if (unsettled.length > 0) this.note(`${unsettled.length} approvals were claimed and are not settled yet`);
    if (undecided.length > 0) this.note(`${undecided.length} calls were requested and never judged; nothing was carried out for them`);
    if (this.continuity.late > 0) this.note(`${this.continuity.late} events came after their successors`);
    if (this.noteCount > this.notes.length) this.notes.push(`and ${this.noteCount - this.notes.length} more notes`);
    const properties = (['I1', 'I2', 'I3', 'I4', 'I7'] as const).map((invariant) => this.result(invariant, closed ? 0 : running.length));
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
    const over = isOver(history);
    (over ? this.open : this.ended).delete(history.call);
    (over ? this.ended : this.open).set(history.call, history);
    // Nothing is bound to it any more, and the many calls that are only waiting should be small.
    if (over || history.allowed || history.approval !== undefined) delete history.asked;
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
  I3: 'no call was allowed twice or ended twice, and no approval tells another outcome than its call',
  I4: 'every held call was released at most once, in time, as people approved it, or not at all',
  I7: 'every producer is complete and in order',
};
