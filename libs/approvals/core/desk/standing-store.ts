import type { EventDraft } from '#libs/contracts';
import type { CallIdentity } from '#libs/ports';
import { evolveStanding, type StandingApproval, type StandingEvent } from '../held/standing.ts';
import type { Moment } from './approval-store.ts';

export interface StandingChange<T> {
  readonly result: T;
  readonly next?: StandingApproval;
  readonly events?: readonly EventDraft[];
}

/** Standing approvals, state first like the others. */
export interface StandingStore {
  /** Those that are neither over nor revoked, for the calls of one agent of one tool. */
  for(identity: CallIdentity): Promise<readonly StandingApproval[]>;
  list(tenant: string, limit: number): Promise<readonly StandingApproval[]>;
  /** `found` is null when there is none of this id; then `next` makes one. */
  change<T>(tenant: string, id: string, work: (found: StandingApproval | null, moment: Moment) => StandingChange<T>): Promise<{ readonly result: T; readonly number: bigint | null }>;
}
export const StandingStore = Symbol('StandingStore');

/** The standing approval after some events, and the events as the log will have them. */
export function appliedStanding(state: StandingApproval | null, events: readonly StandingEvent[], links: { readonly call?: string }): { readonly next?: StandingApproval; readonly events: readonly EventDraft[] } {
  let next = state;
  for (const event of events) next = evolveStanding(next, event);
  if (!next) return { events: [] };
  const { id, call } = next;
  const drafts = events.map((event) => ({ ...event, tenant: call.tenant, corr: links.call ?? id, links: { ...links, approval: id } }) as EventDraft);
  return { next, events: drafts };
}
