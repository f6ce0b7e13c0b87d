import { log } from './audit-0001-log.ts';
import { openCalls } from './audit-0002-open-calls.ts';
import { callState } from './audit-0003-call-state.ts';
import type { Migration } from './migration.ts';

/** The audit database: what the projector makes of the journal. A database of its own, apart from the operational one. */
export const auditMigrations: readonly Migration[] = [log, openCalls, callState];
