import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Broker, Hosts } from '#libs/broker/core';
import type { AuthenticationGate } from './authentication-gate.ts';
import { type FastifyScope, registerMcpRoutes } from './mcp-routes.ts';
import { registerResourceMetadata } from './resource-metadata.ts';

export interface BrokerModuleOptions {
  readonly broker: Broker;
  /** Who a bearer token stands for, and who hears of those it stands for nobody. */
  readonly gate: AuthenticationGate;
  /** Host names (with or without port) that this broker is reached by, besides the names of the local machine. */
  readonly hosts: readonly string[];
  /** Where clients reach this broker; taken from the checked Host header when absent. No slash at the end. */
  readonly publicUrl?: string;
  readonly onFault: (error: unknown) => void;
}

const OPTIONS = Symbol('BrokerModuleOptions');
const TELL_EVERY_MS = 1_000;

/**
 * The broker's HTTP edge. Its routes are registered on Fastify itself, in a scope with a body parser and an error handler of its own:
 * nothing that the application sets up for the API runs in front of a tool call.
 */
@Module({})
export class BrokerModule implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(OPTIONS) private readonly options: BrokerModuleOptions,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  static register(options: {
    readonly inject?: readonly (symbol | string | (abstract new (...args: never[]) => unknown))[];
    readonly useFactory: (...injected: never[]) => BrokerModuleOptions | Promise<BrokerModuleOptions>;
  }): DynamicModule {
    return {
      module: BrokerModule,
      providers: [
        {
          provide: OPTIONS,
          inject: [...(options.inject ?? [])] as never[],
          useFactory: options.useFactory as (...args: unknown[]) => unknown,
        },
      ],
    };
  }

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyScope>();
    const hosts = new Hosts(this.options.hosts);
    void fastify.register(async (scope) => {
      registerMcpRoutes(scope, { ...this.options, hosts });
      registerResourceMetadata(scope, hosts, this.options.publicUrl);
    });
    this.timer = setInterval(() => this.options.gate.tell(false), TELL_EVERY_MS);
    this.timer.unref();
  }

  /** Runs after the last request: what was counted and not told yet is told. */
  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.options.gate.tell(true);
  }
}
