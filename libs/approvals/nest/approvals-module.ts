import { type DynamicModule, Inject, Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import type { HoldfastConfig } from '#libs/contracts';
import { ConsoleSessions, Log } from '#libs/platform';
import { DeniedAccess, IdempotencyStore } from '#libs/ports';
import type { ConfigRevision } from '#libs/ports';
import { applyConfiguration, LostBrokers, relayOutbox } from '#libs/approvals/core';
import { ApprovalsController } from './approvals-controller.ts';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { DelegationsController, StandingController } from './standing-controllers.ts';
import { LiveApprovals } from './live/live-approvals.ts';
import { LiveStreams } from './live/live-streams.ts';
import { StreamController } from './live/stream-controller.ts';
import { ApprovalPages } from './pages/approval-pages.ts';
import { ConsoleController } from './pages/console-controller.ts';
import { PageSessions } from './pages/page-session.ts';
import { ReviewController } from './pages/review-controller.ts';
import { BackgroundLoop } from './background-loop.ts';

const RELAY_EVERY_MS = 200;
const SETTLE_EVERY_MS = 500;
const SWEEP_EVERY_MS = 60_000;
const SWEPT_AT_ONCE = 5_000;

/** Puts a configuration in force; answers with the revision that then is. */
export class ApplyConfiguration {
  constructor(
    readonly config: HoldfastConfig,
    readonly source: 'start' | 'api',
  ) {}
}

@CommandHandler(ApplyConfiguration)
export class ApplyConfigurationHandler implements ICommandHandler<ApplyConfiguration, ConfigRevision> {
  constructor(@Inject(ApprovalsDependencies) private readonly deps: ApprovalsDependencies) {}

  execute(command: ApplyConfiguration): Promise<ConfigRevision> {
    return applyConfiguration(this.deps.configuration, command.config, command.source, this.deps.digestOf);
  }
}

/** The service's work in the background: outbox to journal, outcomes for the calls of lost brokers. */
@Injectable()
export class ApprovalsLoops implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loops: readonly BackgroundLoop[];

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies, @Inject(Log) log: Log) {
    const lostBrokers = new LostBrokers(deps);
    const relay = new BackgroundLoop({ name: 'outbox relay', everyMs: RELAY_EVERY_MS, log, round: () => relayOutbox(deps.outbox, deps.journal) });
    deps.outbox.onStaged(() => relay.nudge());
    this.loops = [
      relay,
      new BackgroundLoop({ name: 'sweep', everyMs: SWEEP_EVERY_MS, log, round: () => sweep(deps) }),
      new BackgroundLoop({ name: 'lost brokers', everyMs: SETTLE_EVERY_MS, log, round: () => lostBrokers.round() }),
    ];
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}

async function sweep({ idempotency, endedSessions, reviewLinks }: ApprovalsDependencies): Promise<void> {
  await idempotency.sweep(SWEPT_AT_ONCE);
  await endedSessions.sweep(SWEPT_AT_ONCE);
  await reviewLinks.sweep(SWEPT_AT_ONCE);
}

/** apps/approval-service, and its part of apps/solo. */
@Module({})
export class ApprovalsModule {
  static register(deps: ApprovalsDependencies, log: Log, denied: DeniedAccess): DynamicModule {
    const streams = new LiveStreams(new LiveApprovals(deps.store, deps.clock, log));
    return {
      module: ApprovalsModule,
      imports: [CqrsModule.forRoot()],
      controllers: [StreamController, StandingController, DelegationsController, ApprovalsController, ConsoleController, ReviewController],
      providers: [
        { provide: ApprovalsDependencies, useValue: deps },
        { provide: Log, useValue: log },
        { provide: LiveStreams, useValue: streams },
        { provide: IdempotencyStore, useValue: deps.idempotency },
        { provide: ConsoleSessions, useValue: deps.sessions },
        { provide: DeniedAccess, useValue: denied },
        PageSessions,
        ApprovalPages,
        ApplyConfigurationHandler,
        ApprovalsLoops,
      ],
      exports: [CqrsModule],
    };
  }
}

