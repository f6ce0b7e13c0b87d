import type { HoldfastEvent } from '#libs/contracts';
import type { Ballot } from './approval-votes.ts';
import { otherCall } from './asked.ts';
import type { CallHistory } from './call-history.ts';
import type { Say } from './judgement.ts';

/** What changes one held call. Standing approvals have a history of their own; refusing and joining are said of other calls; some change nothing. */
export type HeldEvent = Exclude<Extract<HoldfastEvent, { type: `approval.${string}` }>, { type: 'approval.refused' | 'approval.joined' | 'approval.arguments_shown' | 'approval.release_refused' | `approval.standing_${string}` }>;
export type HeldEventType = HeldEvent['type'];
export type HeldEventOf<T extends HeldEventType> = Extract<HeldEvent, { type: T }>;

type Status = 'held' | 'approved' | 'claimed' | 'over';

/** One approval as its events tell it. This is a second reading, on purpose: nothing here comes from the code that decides. */
export interface ApprovalHistory extends Ballot {
  readonly approval: string;
  readonly call: string;
  status: Status;
  /** What made it so. */
  since: { readonly index: number; readonly how: string };
  /** Of the approval while it is held, of the grant once it is approved. */
  until: number;
  openedAt: number;
  /** What is decided together is written together and has one time: what must come next, if anything must. */
  next: { readonly type: HeldEventType; readonly at: number } | null;
  /** The time of the approval that was just given: it alone opens a further step or grants. */
  approvedAt: number | null;
  readonly reminders: Map<number, number>;
  /** Whether one person alone stands for the whole flow. */
  glass: boolean;
}

/** What stays of an approval that is over. */
export type OverApproval = Pick<ApprovalHistory, 'approval' | 'call' | 'binding' | 'since'>;

/** Begins an approval: it must be for a call that policy held, and bound to exactly that call. */
export function ask({ data, links, tenant }: HeldEventOf<'approval.requested'>, index: number, call: CallHistory | undefined, say: Say): ApprovalHistory {
  const { approval, binding, flow, agentOwners } = data;
  const wrong = (why: string): void => say('I4', `approval ${approval} was asked for at ${index}, ${why}`);
  if (links.approval !== approval || links.call !== data.call) wrong('and its links name another approval or call');
  if (binding.tenant !== tenant) wrong(`bound to tenant ${binding.tenant}`);
  if (!call?.held) wrong(`and policy had not held call ${data.call}`);
  else if (call.held.policyVersion !== binding.policyVersion) wrong(`bound to policy version ${binding.policyVersion}; version ${call.held.policyVersion} held the call`);
  else if (call.held.rule !== data.rule || (call.held.flow ?? flow.id) !== flow.id) wrong('by another rule or flow than held the call');
  const other = call?.asked ? otherCall(call.asked, binding) : [];
  if (other.length > 0) wrong(`and the call differs in ${other.join(', ')}`);
  if (call?.approval !== undefined) wrong(`and approval ${call.approval} had been asked for the same call`);
  const late = call && whyNothingCanRelease(call);
  if (late !== undefined) wrong(late);
  if (data.expiresAt !== data.at + flow.expiresInMs) wrong('and ends at another time than its flow says');
  if (call) call.approval ??= approval;
  return {
    approval, call: data.call, binding, flow, agentOwners,
    status: 'held', since: { index, how: SAID['approval.requested'] }, until: data.expiresAt, openedAt: data.at, next: { type: 'approval.step_opened', at: data.at }, approvedAt: null, glass: false,
    args: binding.args, round: 0, step: 0, editor: null, escalated: new Set(), reminders: new Map(), delegations: [], votes: new Map(),
  };
}

/** Why no right to execute can be given for a call, if so: it is over, under way, or has one. */
export function whyNothingCanRelease({ closed, denied, allowed, ended, release }: CallHistory): string | undefined {
  if (closed) return `after the call was ${closed.how} at ${closed.index}`;
  if (denied !== undefined) return `after the call was denied at ${denied}`;
  if (ended) return `after the call was ${ended.how} at ${ended.index}`;
  if (allowed) return `after the call was allowed at ${allowed.index}`;
  return release && `after approval ${release.approval} had released the call at ${release.index}`;
}

/** How a report says each event, after "approval … was". */
export const SAID: Readonly<Record<HeldEventType, string>> = {
  'approval.requested': 'asked for',
  'approval.step_opened': 'put to the people of a step',
  'approval.voted': 'voted on',
  'approval.reminded': 'called to mind',
  'approval.escalated': 'escalated',
  'approval.delegated': 'delegated',
  'approval.edited': 'edited',
  'approval.broke_glass': 'given by breaking the glass',
  'approval.granted': 'granted',
  'approval.denied': 'denied',
  'approval.expired': 'expired',
  'approval.cancelled': 'cancelled',
  'approval.killed': 'killed',
  'approval.claimed': 'claimed',
  'approval.settled': 'settled',
};

/** In which state an event may happen at all, and which ones only before the time is over. */
const WHEN: Readonly<Record<HeldEventType, { readonly in: readonly Status[]; readonly inTime: boolean }>> = {
  'approval.requested': { in: [], inTime: false },
  'approval.step_opened': { in: ['held'], inTime: true },
  'approval.voted': { in: ['held', 'approved'], inTime: true },
  'approval.reminded': { in: ['held'], inTime: true },
  'approval.escalated': { in: ['held'], inTime: true },
  'approval.delegated': { in: ['held'], inTime: true },
  'approval.edited': { in: ['held'], inTime: true },
  'approval.broke_glass': { in: ['held'], inTime: true },
  'approval.granted': { in: ['held'], inTime: true },
  'approval.denied': { in: ['held', 'approved'], inTime: true },
  'approval.expired': { in: ['held', 'approved'], inTime: false },
  'approval.cancelled': { in: ['held', 'approved'], inTime: true },
  'approval.killed': { in: ['held', 'approved'], inTime: false },
  'approval.claimed': { in: ['approved'], inTime: true },
  'approval.settled': { in: ['claimed'], inTime: false },
};

/** Why an event has no place where it stands, if so. */
export function whyNotNow({ status, since, call }: ApprovalHistory, { type, links }: HeldEvent): string | undefined {
  if (links.call !== call) return `for call ${links.call ?? '(none)'}; it is for call ${call}`;
  return WHEN[type].in.includes(status) ? undefined : `after it was ${since.how} at ${since.index}`;
}

/** What is wrong with an event that has its place: what had to come before it, its time, or who is said to have done it. */
export function whyNotSo({ next, approvedAt, until }: ApprovalHistory, { type, data, actor }: HeldEvent): string | undefined {
  if (next && (next.type !== type || next.at !== data.at)) return `where it had to be ${SAID[next.type]}, by the same decision`;
  if (!next && type === 'approval.denied') return 'and nobody had just denied it';
  if (!next && (type === 'approval.step_opened' || type === 'approval.granted') && approvedAt !== data.at) return 'and nobody had just approved it';
  if (WHEN[type].inTime && data.at >= until) return 'after its time was over';
  const person = type === 'approval.delegated' ? data.from : 'person' in data ? data.person : undefined;
  return person === undefined || person === actor.user ? undefined : `in the name of ${person}, by ${actor.user ?? 'nobody'}`;
}
