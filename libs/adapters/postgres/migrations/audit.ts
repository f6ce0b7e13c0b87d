import { log } from './audit-0001-log.ts';
import type { Migration } from './migration.ts';

/** The audit database: what the projector makes of the journal. A database of its own, apart from the operational one. */
export const auditMigrations: readonly Migration[] = [log];
