import type { EventDraft } from '#libs/contracts';
import type { GeneralDelegation } from '../held/out-of-office.ts';
import type { Moment } from './approval-store.ts';

export interface DelegationChange<T> {
  readonly result: T;
  readonly next?: GeneralDelegation;
  readonly events?: readonly EventDraft[];
}

/** Delegations for more than one approval, state first like everything that people decide. */
export interface DelegationStore {
  /** Those that are neither over nor revoked, the first to end first; only those from or to `person` when it is given. */
  list(tenant: string, person: string | null, limit: number): Promise<readonly GeneralDelegation[]>;
  /** `found` is null when there is none of this id; then `next` makes one. Changes of one tenant come one after the other. */
  change<T>(tenant: string, id: string, work: (found: GeneralDelegation | null, moment: Moment) => DelegationChange<T>): Promise<T>;
}
export const DelegationStore = Symbol('DelegationStore');
