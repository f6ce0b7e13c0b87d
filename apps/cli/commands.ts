import type { Command } from './command.ts';
import { approvalsDelegate, approvalsDelegations, standingCreate, standingList, standingRevoke } from './commands/approvals/beforehand.ts';
import { approvalsApprove, approvalsBreakGlass, approvalsCancel, approvalsDeny } from './commands/approvals/decide.ts';
import { approvalsList, approvalsShow } from './commands/approvals/look.ts';
import { auditCheck, auditVerify } from './commands/audit.ts';
import { callsList, callsShow } from './commands/calls.ts';
import { keysCreate } from './commands/keys.ts';
import { status } from './commands/status.ts';

/** Every command, in the order in which help lists them. */
export const commands: readonly Command[] = [
  status,
  keysCreate,
  callsList,
  callsShow,
  approvalsList,
  approvalsShow,
  approvalsApprove,
  approvalsDeny,
  approvalsCancel,
  approvalsBreakGlass,
  approvalsDelegate,
  approvalsDelegations,
  standingList,
  standingCreate,
  standingRevoke,
  auditVerify,
  auditCheck,
];
