import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { Log } from '#libs/platform';
import { DeniedAccess } from '#libs/ports';
import { SlackEdge } from './slack-edge.ts';
import { SlackLinkPageController, SlackLinksController } from './slack-links-controller.ts';
import { type FastifyScope, registerSlackRoutes } from './slack-routes.ts';

/** The edge of Slack: what Slack posts, and the links of accounts. */
@Module({})
export class SlackModule implements OnModuleInit {
  constructor(
    @Inject(SlackEdge) private readonly edge: SlackEdge,
    @Inject(Log) private readonly log: Log,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  static register(edge: SlackEdge, log: Log): DynamicModule {
    return { module: SlackModule, controllers: [SlackLinksController, SlackLinkPageController], providers: [{ provide: SlackEdge, useValue: edge }, { provide: Log, useValue: log }] };
  }

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyScope>();
    // The same who hears of denied access everywhere else; the app has it.
    const denied = this.modules.get<DeniedAccess>(DeniedAccess, { strict: false });
    void fastify.register(async (scope) => {
      registerSlackRoutes(scope, { ...this.edge, onDenied: (refusal, ip) => denied.note(refusal, ip, 'slack'), onFault: (error) => this.log.error({ err: error }, 'a fault of the Slack edge') });
    });
  }
}
