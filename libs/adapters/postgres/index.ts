export { migrate, type MigrateOptions } from './migrate.ts';
export type { Migration } from './migrations/migration.ts';
export { auditMigrations } from './migrations/audit.ts';
export { operationalMigrations } from './migrations/operational.ts';
export { createPool, type PoolOptions } from './pool.ts';
export { PostgresJournal } from './journal/postgres-journal.ts';
