import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LostBrokers, NOTIFICATIONS, relayOutbox, type Wake, WAKE_UPS } from '#libs/approvals/core';
import { Log } from '#libs/platform';
import type { JobWorker } from '#libs/ports';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { BackgroundLoop } from './background-loop.ts';

const RELAY_EVERY_MS = 200;
const SETTLE_EVERY_MS = 500;
const CLAIMS_EVERY_MS = 2_000;
const NOTICES_EVERY_MS = 2_000;
const SWEEP_EVERY_MS = 60_000;
/** What is in the journal is kept beside it for a day, for who looks into an outage. */
const SENT_KEPT_MS = 24 * 3_600_000;
const FORGOTTEN_AT_ONCE = 5_000;
const TELLING_AT_ONCE = 8;
const WAKING_AT_ONCE = 4;

/**
 * The service's work in the background: outbox to journal, outcomes for the calls of lost brokers, and what happens to approvals
 * without anybody asking. Jobs do things in time; the loops find what a lost job or a lost hint missed.
 */
@Injectable()
export class ApprovalsLoops implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loops: readonly BackgroundLoop[];
  private workers: readonly JobWorker[] = [];

  constructor(
    @Inject(ApprovalsDependencies) private readonly deps: ApprovalsDependencies,
    @Inject(Log) log: Log,
  ) {
    const { sweep, notifier } = deps;
    const lostBrokers = new LostBrokers(deps);
    const relay = new BackgroundLoop({ name: 'outbox relay', everyMs: RELAY_EVERY_MS, log, round: () => relayOutbox(deps.outbox, deps.journal) });
    const notices = new BackgroundLoop({ name: 'notices about approvals', everyMs: NOTICES_EVERY_MS, log, round: () => notifier.round() });
    deps.outbox.onStaged(() => relay.nudge());
    deps.store.changes(() => notices.nudge());
    this.loops = [
      relay,
      notices,
      new BackgroundLoop({ name: 'lost brokers', everyMs: SETTLE_EVERY_MS, log, round: () => lostBrokers.round() }),
      new BackgroundLoop({ name: 'claimed calls', everyMs: CLAIMS_EVERY_MS, log, round: () => sweep.settle() }),
      new BackgroundLoop({ name: 'overdue approvals', everyMs: SWEEP_EVERY_MS, log, round: async () => [await sweep.overdue(), await sweep.forget()] }),
      new BackgroundLoop({ name: 'what nobody needs any more', everyMs: SWEEP_EVERY_MS, log, round: () => forget(deps) }),
    ];
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
    const { jobs, notifier, sweep } = this.deps;
    this.workers = [
      jobs.work(NOTIFICATIONS, (job) => notifier.run(job), { concurrency: TELLING_AT_ONCE }),
      jobs.work(WAKE_UPS, ({ data }) => sweep.wake((data as Wake).tenant, (data as Wake).approval), { concurrency: WAKING_AT_ONCE }),
    ];
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.loops.map((loop) => loop.stop()), ...this.workers.map((worker) => worker.close())]);
  }
}

async function forget({ idempotency, endedSessions, reviewLinks, outbox, clock }: ApprovalsDependencies): Promise<void> {
  await outbox.forgetSent(new Date(clock.now() - SENT_KEPT_MS), FORGOTTEN_AT_ONCE);
  for (const store of [idempotency, endedSessions, reviewLinks]) await store.sweep(FORGOTTEN_AT_ONCE);
}
