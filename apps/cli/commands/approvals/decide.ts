import { readFileSync } from 'node:fs';
import type { Command, CommandContext } from '../../command.ts';
import { Connection } from '../../connection.ts';
import { CommandError, EXIT, type ExitCode } from '../../exit-code.ts';
import { plain } from '../../terminal.ts';
import { type Approval, fetchApproval, path } from './shown.ts';

/** A connection for who decides. The token that an installation makes for its own machine is nobody's. */
export function asPerson({ values, env }: CommandContext): Connection {
  const { connection, local } = Connection.target(values, env);
  if (local) throw new CommandError(EXIT.usage, 'people decide: give --token (or HOLDFAST_TOKEN) of a person; the token of this machine reads and operates, and is nobody in a flow');
  return connection;
}

const text = (value: string | boolean | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const reasonOf = ({ values }: CommandContext): { readonly reason?: string } => (text(values['reason']) === undefined ? {} : { reason: text(values['reason'])! });

function required({ values }: CommandContext, name: string, why: string): string {
  const value = text(values[name]);
  if (value === undefined) throw new CommandError(EXIT.usage, `--${name} is needed: ${why}`);
  return value;
}

/** Which version is decided about: the one that was seen, or the present one while nobody changed the arguments. */
async function versionOf({ values }: CommandContext, connection: Connection, id: string): Promise<number> {
  const given = text(values['version']);
  if (given !== undefined) {
    if (!/^[1-9]\d{0,8}$/.test(given)) throw new CommandError(EXIT.usage, '--version is a number, as approvals show has it');
    return Number(given);
  }
  const { version, edits } = await fetchApproval(connection, id);
  if (edits.length > 0) throw new CommandError(EXIT.usage, `${plain(edits.at(-1)!.person)} changed the arguments: look with approvals show, and say with --version which ones you mean`);
  return version;
}

async function decide(context: CommandContext, verdict: 'approve' | 'deny', more: object): Promise<ExitCode> {
  const connection = asPerson(context);
  const id = context.words[0]!;
  const body = { verdict, version: await versionOf(context, connection, id), ...reasonOf(context), ...more };
  const decision = (await connection.post(path(id, '/decisions'), body)) as { readonly status: string; readonly progress: string; readonly person: string };
  if (context.to.json) context.to.out(`${JSON.stringify(decision)}\n`);
  else context.to.out(`${plain(decision.person)}: ${verdict === 'approve' ? 'approved' : 'denied'}. The call is ${decision.status} (${plain(decision.progress)}).\n`);
  return EXIT.ok;
}

export const approvalsApprove: Command = {
  name: 'approvals approve',
  arguments: 'APPROVAL',
  sentence: 'Approve exactly these arguments; with --args FILE other ones, about which everybody is asked again.',
  example: 'holdfast approvals approve 01a1fe87-ca93-7227-924a-62b8b5453c53 --reason "the amount is right"',
  options: { reason: { type: 'string' }, version: { type: 'string' }, args: { type: 'string' } },
  positionals: 1,
  run: (context) => {
    const file = text(context.values['args']);
    return decide(context, 'approve', file === undefined ? {} : { editedArgs: readArguments(file) });
  },
};

export const approvalsDeny: Command = {
  name: 'approvals deny',
  arguments: 'APPROVAL',
  sentence: 'Deny a call, with a reason.',
  example: 'holdfast approvals deny 01a1fe87-ca93-7227-924a-62b8b5453c53 --reason "wrong customer"',
  options: { reason: { type: 'string' }, version: { type: 'string' } },
  positionals: 1,
  run: (context) => {
    required(context, 'reason', 'whoever asked is told why');
    return decide(context, 'deny', {});
  },
};

export const approvalsCancel: Command = {
  name: 'approvals cancel',
  arguments: 'APPROVAL',
  sentence: 'Take a held call back, as who asked for it or who operates the tenant.',
  example: 'holdfast approvals cancel 01a1fe87-ca93-7227-924a-62b8b5453c53',
  options: { reason: { type: 'string' } },
  positionals: 1,
  run: async (context) => tell(context, (await Connection.target(context.values, context.env).connection.post(path(context.words[0]!, '/cancel'), reasonOf(context))) as Approval),
};

export const approvalsBreakGlass: Command = {
  name: 'approvals break-glass',
  arguments: 'APPROVAL',
  sentence: 'Approve alone in an emergency; everybody in the flow is told, and it is reviewed afterwards.',
  example: 'holdfast approvals break-glass 01a1fe87-ca93-7227-924a-62b8b5453c53 --reason "production is down"',
  options: { reason: { type: 'string' }, version: { type: 'string' } },
  positionals: 1,
  run: async (context) => {
    const connection = asPerson(context);
    const id = context.words[0]!;
    const reason = required(context, 'reason', 'it is reviewed afterwards');
    return tell(context, (await connection.post(path(id, '/break-glass'), { reason, version: await versionOf(context, connection, id) })) as Approval);
  },
};

function tell({ to }: CommandContext, approval: Approval): ExitCode {
  to.out(to.json ? `${JSON.stringify(approval)}\n` : `The call is ${approval.status} (${plain(approval.progress)}).\n`);
  return EXIT.ok;
}

function readArguments(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new CommandError(EXIT.usage, '--args names a file with the arguments as JSON');
  }
}
