import type { HoldfastEvent } from '#libs/contracts';
import type { CallEvent } from '../calls/fold-call.ts';

/** What one call has been through so far. */
export interface CallHistory {
  readonly call: string;
  requested?: number;
  /** Broker instance and log index of the allowing decision. */
  allowed?: { readonly index: number; readonly broker: string };
  denied?: number;
  held?: number;
  ended?: { readonly how: 'completed' | 'abandoned' | 'unknown'; readonly index: number; readonly broker: string | null };
}

export type InvariantId = 'I1' | 'I2' | 'I3' | 'I7';

/** What an event says against an invariant; a note is nothing wrong, but something a reader should know. */
export interface Judgement {
  readonly invariant: InvariantId | 'note';
  readonly sentence: string;
}

/** Judges one more event of a call against what came before and takes it into the history. */
export function judge(history: CallHistory, event: CallEvent, index: number): Judgement | undefined {
  switch (event.type) {
    case 'call.requested':
      return judgeRequest(history, index);
    case 'policy.decided':
      return judgeDecision(history, event, index);
    case 'call.completed':
      return judgeEnd(history, 'completed', event, index);
    case 'call.abandoned':
      return judgeEnd(history, 'abandoned', event, index);
    case 'call.outcome_unknown':
      return judgeUnknown(history, event.data.broker, index);
    default:
      return undefined;
  }
}

function judgeRequest(history: CallHistory, index: number): Judgement | undefined {
  if (history.requested !== undefined) return { invariant: 'I3', sentence: `call ${history.call} was requested twice, at ${history.requested} and ${index}` };
  history.requested = index;
  if (history.allowed || history.denied !== undefined || history.held !== undefined || history.ended) return { invariant: 'I1', sentence: `call ${history.call} was requested at ${index}, after it was judged or carried out` };
  return undefined;
}

function judgeDecision(history: CallHistory, event: Extract<CallEvent, { type: 'policy.decided' }>, index: number): Judgement | undefined {
  const { call } = history;
  const { effect } = event.data;
  const before = { ...history };
  if (effect === 'allow') history.allowed ??= { index, broker: event.producer.id };
  else if (effect === 'deny') history.denied ??= index;
  else history.held ??= index;
  if (before.ended) return { invariant: 'I1', sentence: `call ${call} was judged at ${index}, after its end at ${before.ended.index}` };
  if (before.requested === undefined) return { invariant: 'I1', sentence: `call ${call} was judged at ${index} without a request before it` };
  if (before.denied !== undefined && effect === 'allow') return { invariant: 'I1', sentence: `call ${call} was allowed at ${index}, after it was denied at ${before.denied}` };
  if (before.allowed) return { invariant: 'I3', sentence: `call ${call} was judged again at ${index}, after it was allowed at ${before.allowed.index}` };
  return undefined;
}

/** A known end. After "unknown" the same broker may still deliver the truth: it was lost, not its memory on disk. */
function judgeEnd(history: CallHistory, how: 'completed' | 'abandoned', event: HoldfastEvent, index: number): Judgement | undefined {
  const { call, allowed, ended } = history;
  const broker = event.producer.id;
  history.ended = ended && ended.how !== 'unknown' ? ended : { how, index, broker };
  if (!allowed) return { invariant: how === 'completed' ? 'I1' : 'I2', sentence: `call ${call} was ${how} at ${index} and never allowed before` };
  if (broker !== allowed.broker) return { invariant: 'I3', sentence: `call ${call} was allowed by one broker and ${how} by another at ${index}` };
  if (!ended) return undefined;
  if (ended.how === 'unknown') return { invariant: 'note', sentence: `the outcome of call ${call} became known at ${index}, after it was recorded as unknown at ${ended.index}` };
  return { invariant: 'I3', sentence: `call ${call} was ${how} at ${index} and had already been ${ended.how} at ${ended.index}` };
}

/** Doubt, stated by somebody else after the broker was lost. */
function judgeUnknown(history: CallHistory, broker: string, index: number): Judgement | undefined {
  const { call, allowed, ended } = history;
  if (!ended) history.ended = { how: 'unknown', index, broker };
  if (!allowed) return { invariant: 'I2', sentence: `the outcome of call ${call} is unknown at ${index}, and it was never allowed` };
  if (!ended) return undefined;
  if (ended.how === 'unknown') return { invariant: 'I3', sentence: `the outcome of call ${call} was recorded as unknown twice, at ${ended.index} and ${index}` };
  if (ended.broker === broker) return { invariant: 'note', sentence: `call ${call} had been ${ended.how} at ${ended.index} when its broker was given up at ${index}` };
  return { invariant: 'I3', sentence: `the outcome of call ${call} was recorded as unknown at ${index}, after it had been ${ended.how} at ${ended.index}` };
}
