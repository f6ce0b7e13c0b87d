import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Log } from '#libs/platform';
import { DeniedAccess } from '#libs/ports';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';
import { type FastifyScope, registerSlackRoutes } from './slack-routes.ts';

/** Puts the routes that Slack posts to on Fastify, in a scope with a body parser of its own. */
@Injectable()
export class SlackInlets implements OnModuleInit {
  constructor(
    @Inject(ApprovalsDependencies) private readonly deps: ApprovalsDependencies,
    @Inject(Log) private readonly log: Log,
    @Inject(DeniedAccess) private readonly denied: DeniedAccess,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyScope>();
    void fastify.register(async (scope) => {
      registerSlackRoutes(scope, { ...this.deps.slack, onDenied: (refusal, ip) => this.denied.note(refusal, ip, 'slack'), onFault: (error) => this.log.error({ err: error }, 'a fault of the Slack edge') });
    });
  }
}
