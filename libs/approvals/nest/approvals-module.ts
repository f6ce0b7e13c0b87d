import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import type { HoldfastConfig } from '#libs/contracts';
import { Log } from '#libs/platform';
import type { ConfigRevision } from '#libs/ports';
import { applyConfiguration } from '#libs/approvals/core';
import { ApprovalsController } from './approvals-controller.ts';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { ApprovalsLoops } from './approvals-loops.ts';
import { DeadJobsController } from './dead-jobs-controller.ts';


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
  static register(deps: ApprovalsDependencies, log: Log): DynamicModule {
    return {
      module: ApprovalsModule,
      imports: [CqrsModule.forRoot()],
      controllers: [ApprovalsController, DeadJobsController],
      providers: [{ provide: ApprovalsDependencies, useValue: deps }, { provide: Log, useValue: log }, ApplyConfigurationHandler, ApprovalsLoops],
      exports: [CqrsModule],
    };
  }
}

