import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import type { HoldfastConfig } from '#libs/contracts';
import { ConsoleSessions, Log } from '#libs/platform';
import { DeniedAccess, IdempotencyStore } from '#libs/ports';
import type { ConfigRevision } from '#libs/ports';
import { applyConfiguration } from '#libs/approvals/core';
import { ApprovalsController } from './approvals-controller.ts';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { ApprovalsLoops } from './approvals-loops.ts';
import { DeadJobsController } from './dead-jobs-controller.ts';
import { DelegationsController, StandingController } from './standing-controllers.ts';
import { LiveApprovals } from './live/live-approvals.ts';
import { LiveStreams } from './live/live-streams.ts';
import { StreamController } from './live/stream-controller.ts';
import { ApprovalPages } from './pages/approval-pages.ts';
import { ConsoleController } from './pages/console-controller.ts';
import { PageSessions } from './pages/page-session.ts';
import { ReviewController } from './pages/review-controller.ts';
import { SlackInlets } from './slack/slack-inlets.ts';
import { SlackLinkPages } from './slack/slack-link-pages.ts';
import { SlackLinksController } from './slack/slack-links-controller.ts';

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

/** apps/approval-service, and its part of apps/solo. */
@Module({})
export class ApprovalsModule {
  static register(deps: ApprovalsDependencies, log: Log, denied: DeniedAccess): DynamicModule {
    const streams = new LiveStreams(new LiveApprovals(deps.store, deps.clock, log));
    return {
      module: ApprovalsModule,
      imports: [CqrsModule.forRoot()],
      controllers: [StreamController, StandingController, DelegationsController, ApprovalsController, DeadJobsController, ConsoleController, ReviewController, SlackLinksController, SlackLinkPages],
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
        SlackInlets,
      ],
      exports: [CqrsModule],
    };
  }
}

