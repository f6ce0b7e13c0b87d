import type { Migration } from './migration.ts';

/** The audit database: what the projector makes of the journal. */
export const auditMigrations: readonly Migration[] = [];
