import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuditReader } from '#libs/audit/core';
import { AuditController } from './audit-controller.ts';
import { CallsController } from './calls-controller.ts';
import { queryHandlers } from './query-handlers.ts';

/** Reading and proving the log over HTTP. Routes are guarded by the application's access guard. */
@Module({})
export class AuditModule {
  static register(reader: Pick<FactoryProvider<AuditReader>, 'useFactory' | 'inject'>): DynamicModule {
    return {
      module: AuditModule,
      imports: [CqrsModule.forRoot()],
      controllers: [CallsController, AuditController],
      providers: [{ provide: AuditReader, ...reader }, ...queryHandlers],
    };
  }
}
