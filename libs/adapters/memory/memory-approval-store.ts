import { type ApprovalQuery, type ApprovalStore, type Change, type Moment, type Notice, type Opening, type StandingApproval, type StandingStore, type StoredApproval, wakeAt } from '#libs/approvals/core';
import type { EventDraft } from '#libs/contracts';
import type { CallIdentity, Lane } from '#libs/ports';

const PENDING: ReadonlySet<string> = new Set(['held', 'approved']);

/** {@link ApprovalStore} and {@link StandingStore} without a disk, for specs. */
export class MemoryApprovalStore implements ApprovalStore {
  readonly rows = new Map<string, { stored: StoredApproval; joins: string | null; answer?: Uint8Array }>();
  readonly staged: EventDraft[] = [];
  readonly kept: Notice[] = [];
  readonly standings = new Map<string, StandingApproval>();
  readonly now: Moment & { revision: number } = { revision: 7, delegations: [] };
  private readonly listeners: Parameters<ApprovalStore['changes']>[0][] = [];

  readonly standing: StandingStore = {
    for: (identity: CallIdentity) => Promise.resolve([...this.standings.values()].filter(({ call, revoked }) => !revoked && call.tenant === identity.tenant && call.tool === identity.tool && call.agent === identity.agent)),
    list: (tenant) => Promise.resolve([...this.standings.values()].filter(({ call }) => call.tenant === tenant)),
    change: (_tenant, id, work) => {
      const { result, next, events = [] } = work(this.standings.get(id) ?? null, this.now);
      if (next) this.standings.set(id, next);
      this.staged.push(...events);
      return Promise.resolve({ result, number: next ? BigInt(this.staged.length) : null });
    },
  };

  open({ tenant, agent, joins, settledAfter, decide }: Opening): ReturnType<ApprovalStore['open']> {
    const own = [...this.rows.values()].filter(({ stored }) => stored.state.binding.tenant === tenant);
    const equal = own.findLast(({ stored, joins: theirs }) => joins !== null && theirs === joins && (PENDING.has(stored.state.status) || stored.state.status === 'claimed' || stored.changedAt > settledAfter));
    if (equal) return Promise.resolve({ kind: 'joined', approval: equal.stored });
    const pending = own.filter(({ stored }) => PENDING.has(stored.state.status));
    const decided = decide({ tenant: pending.length, agent: pending.filter(({ stored }) => stored.state.binding.agent === agent).length }, this.now);
    if (!decided) return Promise.resolve(null);
    this.rows.set(decided.next.state.id, { stored: decided.next, joins });
    this.tell(decided.next, decided.events);
    return Promise.resolve({ kind: 'opened', approval: decided.next });
  }

  change<T>(tenant: string, id: string, work: (found: StoredApproval, moment: Moment) => Change<T>): Promise<{ readonly result: T; readonly number: bigint | null } | null> {
    const row = this.rows.get(id);
    if (row?.stored.state.binding.tenant !== tenant) return Promise.resolve(null);
    const { result, next, events = [], answer } = work(row.stored, this.now);
    if (next) {
      row.stored = next;
      if (answer) row.answer = answer;
      this.tell(next, events);
    }
    return Promise.resolve({ result, number: events.length > 0 ? BigInt(this.staged.length) : null });
  }

  load(tenant: string, id: string): Promise<StoredApproval | null> {
    const found = this.rows.get(id)?.stored;
    return Promise.resolve(found?.state.binding.tenant === tenant ? found : null);
  }

  answer(_tenant: string, id: string): Promise<Uint8Array | null> {
    return Promise.resolve(this.rows.get(id)?.answer ?? null);
  }

  forgetAnswers(): Promise<number> {
    return Promise.resolve(0);
  }

  list({ tenant, statuses, requester, limit }: ApprovalQuery): ReturnType<ApprovalStore['list']> {
    const items = this.all().filter(({ state }) => state.binding.tenant === tenant && (statuses?.includes(state.status) ?? true) && (requester === undefined || state.binding.user === requester));
    return Promise.resolve({ items: items.slice(0, limit), next: null });
  }

  changedSince(tenant: string, { at, id }: { readonly at: number; readonly id: string | null }, limit: number): Promise<readonly StoredApproval[]> {
    const later = this.all().filter(({ state, changedAt }) => state.binding.tenant === tenant && (changedAt > at || (changedAt === at && state.id > (id ?? ''))));
    return Promise.resolve(later.sort((a, b) => a.changedAt - b.changedAt || (a.state.id < b.state.id ? -1 : 1)).slice(0, limit));
  }

  lastExecuted({ tenant, agent, server, tool }: CallIdentity, before: number): Promise<StoredApproval | null> {
    const like = this.all().filter(({ state, createdAt }) => state.status === 'executed' && state.binding.tenant === tenant && state.binding.agent === agent && state.binding.server === server && state.binding.tool === tool && createdAt < before);
    return Promise.resolve(like.sort((a, b) => b.changedAt - a.changedAt)[0] ?? null);
  }

  moment(): Promise<Moment> {
    return Promise.resolve(this.now);
  }

  due(now: number, limit: number): Promise<readonly { readonly tenant: string; readonly id: string }[]> {
    const due = this.all().filter((stored) => (wakeAt(stored) ?? Infinity) <= now);
    return Promise.resolve(due.slice(0, limit).map(({ state }) => ({ tenant: state.binding.tenant, id: state.id })));
  }

  unsettled(before: number, limit: number): Promise<readonly StoredApproval[]> {
    return Promise.resolve(this.all().filter(({ state, changedAt }) => state.status === 'claimed' && changedAt < before).slice(0, limit));
  }

  releasable(lane: Lane, limit: number): Promise<readonly StoredApproval[]> {
    return Promise.resolve(this.all().filter((stored) => stored.state.status === 'approved' && stored.lane === lane).slice(0, limit));
  }

  notices(limit: number): Promise<readonly Notice[]> {
    return Promise.resolve(this.kept.slice(0, limit));
  }

  told(notice: Notice): Promise<void> {
    this.kept.splice(this.kept.indexOf(notice), 1);
    return Promise.resolve();
  }

  changes(listener: Parameters<ApprovalStore['changes']>[0]): void {
    this.listeners.push(listener);
  }

  private all(): StoredApproval[] {
    return [...this.rows.values()].map(({ stored }) => stored);
  }

  private tell({ state, lane }: StoredApproval, events: readonly EventDraft[]): void {
    if (events.length === 0) return;
    const { id: approval, binding, status, version } = state;
    this.staged.push(...events);
    this.kept.push({ tenant: binding.tenant, approval, version, events: events.map(({ type }) => type) });
    for (const listener of this.listeners) listener({ tenant: binding.tenant, approval, status, lane });
  }
}
