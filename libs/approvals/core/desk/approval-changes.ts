import type { Status } from '../held/state.ts';
import type { ApprovalStore, StoredApproval } from './approval-store.ts';
import { progressOf } from './records.ts';

/** How one approval stands after a change, for those who watch. */
export interface ApprovalChange {
  readonly id: string;
  readonly status: Status;
  readonly version: number;
  readonly progress: string;
  readonly server: string;
  readonly tool: string;
  readonly changedAt: number;
}

/** What was read from here on may hold changes that began earlier and were stored later, and clocks that differ. */
const OVERLAP_MS = 10_000;
const PAGE = 500;
/** A reader who is further behind looks at everything again instead. */
const MOST_PAGES = 10;

/**
 * The changes of one tenant's approvals in the order of their time, from the table and not from notifications, so that none is missed.
 * Told at least once: who sees a version that is known already passes over it.
 */
export class ApprovalChanges {
  private readonly seen = new Map<string, { readonly version: number; readonly changedAt: number }>();

  /** `since`: milliseconds since the epoch. */
  constructor(
    private readonly store: Pick<ApprovalStore, 'changedSince'>,
    private readonly tenant: string,
    private since: number,
  ) {}

  /** What is new since the last time; null when that is too much to tell. */
  async next(): Promise<readonly ApprovalChange[] | null> {
    const changes: ApprovalChange[] = [];
    let place: { readonly at: number; readonly id: string | null } = { at: this.since - OVERLAP_MS, id: null };
    for (let page = 0; page < MOST_PAGES; page++) {
      const found = await this.store.changedSince(this.tenant, place, PAGE);
      for (const stored of found) this.take(stored, changes);
      const last = found.at(-1);
      if (last) place = { at: last.changedAt, id: last.state.id };
      if (found.length < PAGE) {
        this.forget();
        return changes;
      }
    }
    this.forget();
    return null;
  }

  private take({ state, changedAt }: StoredApproval, into: ApprovalChange[]): void {
    const { id, status, version, binding } = state;
    this.since = Math.max(this.since, changedAt);
    if ((this.seen.get(id)?.version ?? 0) >= version) return;
    this.seen.set(id, { version, changedAt });
    into.push({ id, status, version, progress: progressOf(state), server: binding.server, tool: binding.tool, changedAt });
  }

  private forget(): void {
    for (const [id, { changedAt }] of this.seen) if (changedAt < this.since - OVERLAP_MS) this.seen.delete(id);
  }
}
