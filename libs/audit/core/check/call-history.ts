import type { EventData, HoldfastEvent } from '#libs/contracts';
import type { CallEvent } from '../calls/fold-call.ts';
import { type Asked, askedBy } from './asked.ts';
import type { Judgement } from './judgement.ts';

type Outcome = EventData<'call.completed'>['outcome'] | 'abandoned';
type SettledAs = EventData<'approval.settled'>['outcome'];

/** What one call has been through so far. What approvals add is written here by those who judge approvals. */
export interface CallHistory {
  readonly call: string;
  requested?: number;
  /** Kept as long as an approval may still be bound to it. */
  asked?: Asked;
  /** Broker instance and log index of the allowing decision. */
  allowed?: { readonly index: number; readonly broker: string };
  denied?: number;
  held?: { readonly index: number; readonly policyVersion: number; readonly rule: string | null; readonly flow: string | undefined };
  /** The approval that was asked for it. */
  approval?: string;
  /** The right to execute: a claim, or a use of a standing approval, which names no broker and no policy version. */
  release?: Release;
  /** Why nothing may be allowed any more. */
  closed?: { readonly index: number; readonly how: string };
  ended?: { readonly how: 'completed' | 'abandoned' | 'unknown'; readonly index: number; readonly broker: string | null };
  /** All that was said of how it ended; more than one when the truth came late. */
  outcomes?: readonly Outcome[];
  settled?: { readonly index: number; readonly approval: string; readonly outcome: SettledAs };
}

export interface Release {
  readonly index: number;
  readonly approval: string;
  readonly claim: { readonly broker: string; readonly policyVersion: number } | null;
}

/** Judges one more event of a call against what came before and takes it into the history. */
export function judge(history: CallHistory, event: CallEvent, index: number): Judgement | undefined {
  switch (event.type) {
    case 'call.requested':
      return judgeRequest(history, event, index);
    case 'policy.decided':
      return judgeDecision(history, event, index);
    case 'call.completed':
      return judgeEnd(history, 'completed', event, index) ?? judgeOutcome(history, event.data.outcome);
    case 'call.abandoned':
      return judgeEnd(history, 'abandoned', event, index) ?? judgeOutcome(history, 'abandoned');
    case 'call.outcome_unknown':
      return judgeUnknown(history, event.data.broker, index) ?? judgeOutcome(history, 'unknown');
    default:
      return undefined;
  }
}

/** Whether nothing can become of it any more but a violation. What a claim released is not over before its approval says so. */
export function isOver({ allowed, denied, closed, ended, release, settled }: CallHistory): boolean {
  if (ended) return ended.how !== 'unknown' && (!release?.claim || settled !== undefined);
  return (denied !== undefined || closed !== undefined) && !allowed;
}

/** What became of a released call must be what its approval says became of it, whichever of the two is written first. */
export function judgeSettled(history: CallHistory): Judgement | undefined {
  const { call, allowed, outcomes, settled } = history;
  if (!settled) return undefined;
  const { index, approval, outcome } = settled;
  const wrong = (why: string): Judgement => ({ invariant: 'I3', sentence: `approval ${approval} was settled as ${outcome} at ${index}, but call ${call} ${why}` });
  if (outcomes) return SETTLES[outcome].some((one) => outcomes.includes(one)) ? undefined : wrong(`was ${outcomes.join(', then ')}`);
  if (allowed) return undefined;
  if (outcome === 'executed') return wrong('was never allowed');
  return outcome === 'unknown' ? { invariant: 'note', sentence: `approval ${approval} was settled as unknown at ${index}, although call ${call} was never allowed` } : undefined;
}

const SETTLES: Readonly<Record<SettledAs, readonly Outcome[]>> = { executed: ['succeeded'], failed: ['failed', 'abandoned'], unknown: ['unknown'] };

function judgeRequest(history: CallHistory, event: Extract<HoldfastEvent, { type: 'call.requested' }>, index: number): Judgement | undefined {
  if (history.requested !== undefined) return { invariant: 'I3', sentence: `call ${history.call} was requested twice, at ${history.requested} and ${index}` };
  history.requested = index;
  history.asked = askedBy(event);
  if (history.allowed || history.denied !== undefined || history.held !== undefined || history.ended) return { invariant: 'I1', sentence: `call ${history.call} was requested at ${index}, after it was judged or carried out` };
  return undefined;
}

function judgeDecision(history: CallHistory, event: Extract<CallEvent, { type: 'policy.decided' }>, index: number): Judgement | undefined {
  const { call } = history;
  const { effect, policyVersion, rule, flow } = event.data;
  const before = { ...history };
  if (effect === 'allow') history.allowed ??= { index, broker: event.producer.id };
  else if (effect === 'deny') history.denied ??= index;
  else history.held ??= { index, policyVersion, rule, flow };
  if (before.ended) return { invariant: 'I1', sentence: `call ${call} was judged at ${index}, after its end at ${before.ended.index}` };
  if (before.requested === undefined) return { invariant: 'I1', sentence: `call ${call} was judged at ${index} without a request before it` };
  if (before.denied !== undefined && effect === 'allow') return { invariant: 'I1', sentence: `call ${call} was allowed at ${index}, after it was denied at ${before.denied}` };
  if (before.allowed) return { invariant: 'I3', sentence: `call ${call} was judged again at ${index}, after it was allowed at ${before.allowed.index}` };
  const why = effect === 'allow' ? whyNotReleased(before, event) : undefined;
  return why === undefined ? undefined : { invariant: 'I4', sentence: `call ${call} was allowed at ${index}, ${why}` };
}

/** What was held is allowed by the right that an approval gave, and by nothing else. */
function whyNotReleased({ held, release, closed }: CallHistory, { data, links, producer }: Extract<CallEvent, { type: 'policy.decided' }>): string | undefined {
  if (closed) return `after it was ${closed.how} at ${closed.index}`;
  if (!release) {
    if (held) return `after it was held at ${held.index}, and no approval had released it`;
    return data.stage === 'approval' ? 'by approval, and none had released it' : undefined;
  }
  if (data.stage !== 'approval' || links.approval !== release.approval) return `but not by approval ${release.approval}, which released it at ${release.index}`;
  if (!release.claim) return undefined;
  if (producer.id !== release.claim.broker) return `by a broker other than the one that claimed it at ${release.index}`;
  return data.policyVersion === release.claim.policyVersion ? undefined : `by policy version ${data.policyVersion}; the claim at ${release.index} was checked against ${release.claim.policyVersion}`;
}

/** A known end. After "unknown" the same broker may still deliver the truth: it was lost, not its memory on disk. */
function judgeEnd(history: CallHistory, how: 'completed' | 'abandoned', event: HoldfastEvent, index: number): Judgement | undefined {
  const { call, allowed, ended } = history;
  const broker = event.producer.id;
  history.ended = ended && ended.how !== 'unknown' ? ended : { how, index, broker };
  if (!allowed) return { invariant: how === 'completed' ? 'I1' : 'I2', sentence: `call ${call} was ${how} at ${index} and never allowed before` };
  if (broker !== allowed.broker) return { invariant: 'I3', sentence: `call ${call} was allowed by one broker and ${how} by another at ${index}` };
  if (!ended) return undefined;
  if (ended.how === 'unknown') {
    history.outcomes = ['unknown', event.type === 'call.completed' ? event.data.outcome : 'abandoned'];
    return { invariant: 'note', sentence: `the outcome of call ${call} became known at ${index}, after it was recorded as unknown at ${ended.index}` };
  }
  return { invariant: 'I3', sentence: `call ${call} was ${how} at ${index} and had already been ${ended.how} at ${ended.index}` };
}

/** Doubt, stated by somebody else after the broker was lost. */
function judgeUnknown(history: CallHistory, broker: string, index: number): Judgement | undefined {
  const { call, allowed, ended } = history;
  if (!ended) history.ended = { how: 'unknown', index, broker };
  if (!allowed) return { invariant: 'I2', sentence: `the outcome of call ${call} is unknown at ${index}, and it was never allowed` };
  if (!ended) return undefined;
  if (ended.how === 'unknown') return { invariant: 'I3', sentence: `the outcome of call ${call} was recorded as unknown twice, at ${ended.index} and ${index}` };
  if (ended.broker === broker) {
    history.outcomes = [...(history.outcomes ?? []), 'unknown'];
    return { invariant: 'note', sentence: `call ${call} had been ${ended.how} at ${ended.index} when its broker was given up at ${index}` };
  }
  return { invariant: 'I3', sentence: `the outcome of call ${call} was recorded as unknown at ${index}, after it had been ${ended.how} at ${ended.index}` };
}

/** A first outcome, which an approval may have been settled before; what contradicts an earlier one has been judged. */
function judgeOutcome(history: CallHistory, outcome: Outcome): Judgement | undefined {
  history.outcomes = [outcome];
  return judgeSettled(history);
}
