import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AuthenticationGate, BrokerModule } from '#libs/broker/nest';
import type { BrokerParts } from '#libs/composition';
import { AccessGuard, HealthController, Log, ProblemFilter, ReadinessChecks } from '#libs/platform';
import { Authenticator, DeniedAccess } from '#libs/ports';

export interface BrokerAppOptions {
  readonly parts: BrokerParts;
  readonly log: Log;
  /** Names this process is reached by, besides those of the local machine. */
  readonly hosts: readonly string[];
}

/** The MCP edge and nothing else. */
@Module({})
export class BrokerAppModule {
  static register({ parts, log, hosts }: BrokerAppOptions): DynamicModule {
    const { broker, recorder, clock, ids } = parts;
    const gate = new AuthenticationGate({ authenticator: broker.keys, recorder, clock, ids });
    return {
      module: BrokerAppModule,
      imports: [BrokerModule.register({ useFactory: () => ({ broker, gate, hosts, onFault: (error: unknown) => log.error({ err: error }, 'a fault of the MCP edge') }) })],
      controllers: [HealthController],
      providers: [
        { provide: Log, useValue: log },
        { provide: ReadinessChecks, useValue: parts.checks },
        { provide: Authenticator, useValue: broker.keys },
        { provide: DeniedAccess, useValue: gate },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
