import { DataSource } from 'typeorm';
import { ConfigRevisionEntity, OutboxEntity } from './entities.ts';

/** TypeORM on the operational database, connected as the application role: it never creates or changes a table. */
export async function openStateDatabase(url: string, poolSize: number): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    url,
    applicationName: 'holdfast-state',
    entities: [ConfigRevisionEntity, OutboxEntity],
    synchronize: false,
    migrationsRun: false,
    poolSize,
    connectTimeoutMS: 5_000,
    // A statement or a transaction that hangs would hold the locks that others wait for.
    extra: { options: '-c synchronous_commit=on -c statement_timeout=30000 -c idle_in_transaction_session_timeout=30000' },
  }).initialize();
}
