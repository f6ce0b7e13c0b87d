import type { Command } from './command.ts';
import { auditCheck, auditVerify } from './commands/audit.ts';
import { callsList, callsShow } from './commands/calls.ts';
import { keysCreate } from './commands/keys.ts';
import { status } from './commands/status.ts';

/** Every command, in the order in which help lists them. */
export const commands: readonly Command[] = [status, keysCreate, callsList, callsShow, auditVerify, auditCheck];
