import { type ApprovalChange, ApprovalChanges, type ApprovalStore } from '#libs/approvals/core';
import type { Log } from '#libs/platform';
import type { Clock } from '#libs/ports';

/** Told of each change; null: there were too many to tell. */
export type Watcher = (changes: readonly ApprovalChange[] | null) => void;

interface Tenant {
  readonly watchers: Set<Watcher>;
  readonly changes: ApprovalChanges;
  reading: boolean;
  again: boolean;
}

/** A notification may be lost, so the table is asked from time to time as well. */
const ASK_EVERY_MS = 5_000;
/** Many changes at once are read together. */
const GATHER_MS = 50;

/** Tells any number of watchers what changes, with one reader for each tenant that somebody watches. */
export class LiveApprovals {
  private readonly tenants = new Map<string, Tenant>();
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly store: ApprovalStore,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    store.changes(({ tenant }) => this.nudge(tenant));
  }

  /** Watches from now on, until the answer is called. */
  watch(name: string, watcher: Watcher): () => void {
    let tenant = this.tenants.get(name);
    if (!tenant) this.tenants.set(name, (tenant = { watchers: new Set(), changes: new ApprovalChanges(this.store, name, this.clock.now()), reading: false, again: false }));
    const { watchers } = tenant;
    watchers.add(watcher);
    this.timer ??= setInterval(() => [...this.tenants.keys()].forEach((key) => this.nudge(key)), ASK_EVERY_MS).unref();
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.tenants.get(name)?.watchers === watchers) this.tenants.delete(name);
      if (this.tenants.size === 0) {
        clearInterval(this.timer);
        this.timer = undefined;
      }
    };
  }

  /** What a watcher missed since a moment; null when that is too much. */
  missed(tenant: string, since: number): Promise<readonly ApprovalChange[] | null> {
    return new ApprovalChanges(this.store, tenant, since).next();
  }

  private nudge(name: string): void {
    const tenant = this.tenants.get(name);
    if (!tenant) return;
    if (tenant.reading) {
      tenant.again = true;
      return;
    }
    tenant.reading = true;
    setTimeout(() => {
      tenant.again = false;
      this.read(tenant)
        .catch((error: unknown) => {
          if (!this.failing) this.log.warn({ err: error }, 'changes of approvals cannot be read; tries again');
          this.failing = true;
        })
        .finally(() => {
          tenant.reading = false;
          if (tenant.again) this.nudge(name);
        });
    }, GATHER_MS).unref();
  }

  private async read({ changes, watchers }: Tenant): Promise<void> {
    const found = await changes.next();
    this.failing = false;
    if (found?.length === 0) return;
    for (const watcher of watchers) watcher(found);
  }
}
