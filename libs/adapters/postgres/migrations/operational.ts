import { journal } from './operational-0001-journal.ts';
import { state } from './operational-0002-state.ts';
import { approvals } from './operational-0003-approvals.ts';
import { people } from './operational-0004-people.ts';
import { deliveries } from './operational-0005-deliveries.ts';
import { slack } from './operational-0006-slack.ts';
import type { Migration } from './migration.ts';

/** The operational database: the embedded journal and the state that people change. */
export const operationalMigrations: readonly Migration[] = [journal, state, approvals, people, deliveries, slack];
