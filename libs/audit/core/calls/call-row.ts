import type { Actor, Effect, EventData, ImpactClass, Outcome } from '#libs/contracts';

/** Where a call stands. `open`: allowed, nothing known of the outcome yet. `joined`: answered by the approval of an equal call. */
export type CallState = 'requested' | 'open' | 'held' | 'joined' | 'denied' | 'completed' | 'abandoned' | 'unknown';

/** The read model of calls: all the log says about one call, on one line. Derived by {@link foldCall} and by nothing else. */
export interface CallRow {
  readonly tenant: string;
  readonly call: string;
  readonly state: CallState;
  readonly user: string | null;
  readonly client: string | null;
  readonly agent: string | null;
  readonly via: Actor['via'];
  readonly run: string | null;
  readonly trace: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly exposed: string | null;
  readonly toolHash: string | null;
  readonly class: ImpactClass | null;
  readonly protocol: string | null;
  readonly endpoint: string | null;
  readonly argsDigest: string | null;
  readonly argsBytes: number | null;
  readonly effect: Effect | null;
  readonly stage: EventData<'policy.decided'>['stage'] | null;
  readonly rule: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly policyVersion: number | null;
  readonly policyDigest: string | null;
  /** Id of the event that decided. */
  readonly decision: string | null;
  /** Broker instance that decided, or that asked while nothing is decided. */
  readonly broker: string;
  readonly outcome: Outcome | null;
  readonly errorClass: string | null;
  readonly upstreamRequest: string | null;
  readonly resultDigest: string | null;
  readonly resultBytes: number | null;
  readonly totalUs: number | null;
  readonly policyUs: number | null;
  readonly logUs: number | null;
  readonly upstreamUs: number | null;
  readonly rollback: EventData<'call.completed'>['rollback'] | null;
  readonly requestedAt: string | null;
  readonly decidedAt: string | null;
  readonly finishedAt: string | null;
  /** Log index of its first event: where it stands in lists. */
  readonly firstIndex: number;
  /** Log indexes of its events in log order, the first {@link MAX_CALL_EVENTS} of them. */
  readonly events: readonly number[];
  readonly eventCount: number;
}

/** A call has a handful of events; one with more than this is somebody's mistake and its list stops growing. */
export const MAX_CALL_EVENTS = 256;
