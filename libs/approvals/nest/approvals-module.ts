import { type DynamicModule, Inject, Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import type { HoldfastConfig } from '#libs/contracts';
import { Log } from '#libs/platform';
import type { ConfigRevision } from '#libs/ports';
import { applyConfiguration, LostBrokers, relayOutbox } from '#libs/approvals/core';
import { ApprovalsController } from './approvals-controller.ts';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { BackgroundLoop } from './background-loop.ts';
import { SlackModule } from './slack/slack-module.ts';

const RELAY_EVERY_MS = 200;
const SETTLE_EVERY_MS = 500;
const SWEEP_EVERY_MS = 60_000;
const CLAIMS_EVERY_MS = 2_000;
const SLACK_EVERY_MS = 200;

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
      new BackgroundLoop({ name: 'lost brokers', everyMs: SETTLE_EVERY_MS, log, round: () => lostBrokers.round() }),
      new BackgroundLoop({ name: 'claimed calls', everyMs: CLAIMS_EVERY_MS, log, round: () => deps.sweep.settle() }),
      new BackgroundLoop({ name: 'overdue approvals', everyMs: SWEEP_EVERY_MS, log, round: () => sweep(deps.sweep) }),
      new BackgroundLoop({ name: 'messages in Slack', everyMs: SLACK_EVERY_MS, log, round: () => deps.slack.standIn() }),
    ];
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}

async function sweep(approvals: ApprovalsDependencies['sweep']): Promise<void> {
  await approvals.overdue();
  await approvals.forget();
}

/** apps/approval-service, and its part of apps/solo. */
@Module({})
export class ApprovalsModule {
  static register(deps: ApprovalsDependencies, log: Log): DynamicModule {
    return {
      module: ApprovalsModule,
      imports: [CqrsModule.forRoot(), SlackModule.register(deps.slack, log)],
      controllers: [ApprovalsController],
      providers: [{ provide: ApprovalsDependencies, useValue: deps }, { provide: Log, useValue: log }, ApplyConfigurationHandler, ApprovalsLoops],
      exports: [CqrsModule],
    };
  }
}

