import type { BrokerLeases, Clock, OpenCalls } from '#libs/ports';
import { decide } from '../held/decide.ts';
import type { ApprovalEvent, SettledAs } from '../held/events.ts';
import { evolve } from '../held/evolve.ts';
import type { HeldCall } from '../held/state.ts';
import { wakeUps } from '../held/wake-ups.ts';
import type { ApprovalStore, StoredApproval } from './approval-store.ts';
import type { Configurations } from './configurations.ts';
import { applied, changed } from './records.ts';

const PAGE = 200;
/** A broker that is well settles what it claimed itself, and sooner. */
const CLAIMED_LONG_MS = 5_000;
/**
 * A broker has its allowing decision recorded within seconds of its claim, or sends nothing. One that still lives and knows nothing of a
 * claim lost the database's answer to it.
 */
const UNUSED_MS = 10 * 60_000;
/** How long answers are kept for those who ask for them again. */
const ANSWERS_MS = 24 * 3_600_000;
/** Overdue things of one approval that are done in one go; reminders of a whole night are one reminder. */
const MOST_AT_ONCE = 10;
const MOST_TROUBLES = 10;

export interface SweepDependencies {
  readonly store: ApprovalStore;
  readonly configurations: Configurations;
  readonly clock: Clock;
  readonly openCalls: OpenCalls;
  readonly leases: BrokerLeases;
}

/**
 * What has to happen without anybody asking: reminders, escalation, expiry, and the end of calls whose broker could not tell it. It
 * goes by what is stored and by the time, so that whoever calls it, late, twice or for nothing, brings about the same.
 */
export class Sweep {
  constructor(private readonly deps: SweepDependencies) {}

  /** Everything that is overdue, of all approvals; how many were looked at. */
  async overdue(): Promise<number> {
    const looked = new Set<string>();
    const troubles: unknown[] = [];
    for (;;) {
      const due = await this.deps.store.due(this.deps.clock.now(), PAGE);
      const fresh = due.filter(({ tenant, id }) => !looked.has(`${tenant} ${id}`));
      for (const { tenant, id } of fresh) {
        looked.add(`${tenant} ${id}`);
        await this.despite(troubles, () => this.wake(tenant, id));
      }
      if (due.length < PAGE || fresh.length === 0) break;
    }
    if (troubles.length > 0) throw troubles[0];
    return looked.size;
  }

  /** What is due for one approval; nothing when nothing is. */
  async wake(tenant: string, id: string): Promise<void> {
    const { store, configurations, clock } = this.deps;
    await configurations.deciding(() =>
      store.change(tenant, id, (found, moment) => {
        const now = clock.now();
        const events = dueNow(found.state, now, configurations.directory(tenant, moment));
        if (events.length === 0) return { result: null };
        const { state, drafts } = applied(found.state, events);
        return { result: null, next: changed(found, state, now), events: drafts };
      }),
    );
  }

  /** Settles claimed calls from what the log says of them; how many. */
  async settle(): Promise<number> {
    const { store, clock } = this.deps;
    let settled = 0;
    const troubles: unknown[] = [];
    for (const stored of await store.unsettled(clock.now() - CLAIMED_LONG_MS, PAGE)) {
      await this.despite(troubles, async () => {
        const outcome = await this.outcomeOf(stored);
        if (!outcome) return;
        await this.settleAs(stored, outcome);
        settled++;
      });
    }
    if (troubles.length > 0) throw troubles[0];
    return settled;
  }

  private async settleAs({ state: { id, binding } }: StoredApproval, outcome: SettledAs): Promise<void> {
    const { store, clock, configurations } = this.deps;
    await configurations.deciding(() =>
      store.change(binding.tenant, id, (found, moment) => {
        const now = clock.now();
        const decided = decide(found.state, { type: 'settle', outcome }, { now, directory: configurations.directory(binding.tenant, moment) });
        if (!decided.ok || decided.events.length === 0) return { result: null };
        const { state, drafts } = applied(found.state, decided.events);
        return { result: null, next: changed(found, state, now), events: drafts };
      }),
    );
  }

  /** Trouble with one is not to be the trouble of all, which may be another tenant's; with many it is that of the database. */
  private async despite(troubles: unknown[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      troubles.push(error);
      if (troubles.length > MOST_TROUBLES) throw error;
    }
  }

  forget(): Promise<number> {
    return this.deps.store.forgetAnswers(this.deps.clock.now() - ANSWERS_MS, PAGE);
  }

  /** Undefined while it may still become known. */
  private async outcomeOf({ state }: StoredApproval): Promise<SettledAs | undefined> {
    const { openCalls, leases, clock } = this.deps;
    // In this order: a broker that is over says nothing more, and what it said is projected then.
    const over = await leases.over(state.claim!.broker);
    const nobodyWill = over || clock.now() - state.claim!.at > UNUSED_MS;
    if (nobodyWill && !(await openCalls.caughtUp())) return undefined;
    const call = await openCalls.stateOf(state.binding.tenant, state.call);
    switch (call?.state) {
      case 'completed':
        return call.outcome === 'succeeded' ? 'executed' : call.outcome === 'failed' ? 'failed' : 'unknown';
      case 'unknown':
        return 'unknown';
      case 'abandoned':
        return 'failed';
      case 'open':
        return undefined;
      default:
        // Claimed and never allowed: it was not sent, and now nobody will.
        return nobodyWill ? 'failed' : undefined;
    }
  }
}

function dueNow(before: HeldCall, now: number, directory: Parameters<typeof decide>[2]['directory']): readonly ApprovalEvent[] {
  const events: ApprovalEvent[] = [];
  let state = before;
  for (let i = 0; i < MOST_AT_ONCE; i++) {
    const due = wakeUps(state).filter(({ at }) => at <= now);
    // What is over needs no reminder any more.
    const next = due.find(({ kind }) => kind === 'expire') ?? due[0];
    if (!next) break;
    const decided = decide(state, { type: next.kind }, { now, directory });
    if (!decided.ok || decided.events.length === 0) break;
    for (const event of decided.events) state = evolve(state, event);
    events.push(...decided.events);
  }
  return events;
}
