import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ApprovalsModule } from '#libs/approvals/nest';
import { AuditModule } from '#libs/audit/nest';
import { AuthenticationGate, BrokerModule } from '#libs/broker/nest';
import type { Embedded } from '#libs/composition';
import { AccessGuard, ConsoleSessions, HealthController, Log, ProblemFilter, ReadinessChecks } from '#libs/platform';
import { Authenticator, DeniedAccess } from '#libs/ports';

export interface SoloOptions {
  readonly parts: Embedded;
  readonly log: Log;
  /** Names this process is reached by, besides those of the local machine. */
  readonly hosts: readonly string[];
}

/** Broker, approval service and audit API on one port. */
@Module({})
export class SoloModule {
  static register({ parts, log, hosts }: SoloOptions): DynamicModule {
    const { broker, recorder, clock, ids } = parts;
    const gate = new AuthenticationGate({ authenticator: broker.keys, recorder, clock, ids });
    return {
      module: SoloModule,
      imports: [
        BrokerModule.register({ useFactory: () => ({ broker, gate, hosts, onFault: (error: unknown) => log.error({ err: error }, 'a fault of the MCP edge') }) }),
        ApprovalsModule.register(parts.approvals, log, gate),
        AuditModule.register({ useFactory: () => parts.auditReader }),
      ],
      controllers: [HealthController],
      providers: [
        { provide: Log, useValue: log },
        { provide: ReadinessChecks, useValue: parts.checks },
        { provide: Authenticator, useValue: broker.keys },
        { provide: DeniedAccess, useValue: gate },
        { provide: ConsoleSessions, useValue: parts.approvals.sessions },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
