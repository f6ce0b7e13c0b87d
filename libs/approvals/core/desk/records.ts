import type { EventDraft } from '#libs/contracts';
import type { Ticket } from '#libs/ports';
import type { ApprovalEvent } from '../held/events.ts';
import { evolve } from '../held/evolve.ts';
import { type HeldCall, standingVotes } from '../held/state.ts';
import type { StoredApproval } from './approval-store.ts';

/** The state after some events, and the events as the log will have them. */
export function applied(state: HeldCall | null, events: readonly ApprovalEvent[]): { readonly state: HeldCall; readonly drafts: readonly EventDraft[] } {
  let next = state;
  for (const event of events) next = evolve(next, event);
  if (!next) throw new Error('a history without events has no state');
  const { binding, call, id } = next;
  const drafts = events.map((event) => ({ ...event, tenant: binding.tenant, corr: call, links: { call, approval: id }, subject: event.actor.user ?? binding.user }) as EventDraft);
  return { state: next, drafts };
}

/** An approval after a change of its state. */
export function changed(stored: StoredApproval, state: HeldCall, now: number, more: Partial<Pick<StoredApproval, 'sealed'>> = {}): StoredApproval {
  return { ...stored, ...more, state, changedAt: now };
}

export function ticketOf({ state, lane, createdAt, changedAt }: StoredApproval): Ticket {
  const { binding } = state;
  return {
    tenant: binding.tenant,
    approval: state.id,
    call: state.call,
    lane,
    status: state.status,
    version: state.version,
    caller: { user: binding.user, client: binding.client, agent: binding.agent },
    server: binding.server,
    createdAt,
    changedAt,
    expiresAt: state.expiresAt,
    progress: progressOf(state),
    args: state.args,
    edited: state.edits.length > 0,
  };
}

/** The open step and how far it is, as people say it. */
export function progressOf(state: HeldCall): string {
  const step = state.flow.steps[state.step]!;
  const given = standingVotes(state).filter((vote) => vote.step === state.step && vote.verdict === 'approve').length;
  const of = state.flow.steps.length > 1 ? ` (step ${state.step + 1} of ${state.flow.steps.length})` : '';
  return `${step.name}: ${given} of ${step.need}${of}`;
}

/** Whether a text can be an id of ours; what cannot be one names nothing. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
}
