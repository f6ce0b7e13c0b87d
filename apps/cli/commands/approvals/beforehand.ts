import type { Command, CommandContext } from '../../command.ts';
import { Connection } from '../../connection.ts';
import { CommandError, EXIT, type ExitCode } from '../../exit-code.ts';
import { table } from '../../terminal.ts';
import { asPerson } from './decide.ts';
import { path } from './shown.ts';

interface Delegation {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly until: string;
  readonly scope: Readonly<Record<string, string>>;
}

interface Standing {
  readonly id: string;
  readonly person: string;
  readonly agent: string | null;
  readonly server: string;
  readonly tool: string;
  readonly condition: string;
  readonly until: string;
  readonly state: string;
  readonly uses: number;
}

const given = ({ values }: CommandContext, ...names: readonly string[]): Record<string, string> => Object.fromEntries(names.flatMap((name) => (typeof values[name] === 'string' ? [[name, values[name]]] : [])));

function needed(context: CommandContext, ...names: readonly string[]): Record<string, string> {
  const found = given(context, ...names);
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length > 0) throw new CommandError(EXIT.usage, `needed: ${missing.map((name) => `--${name}`).join(', ')}`);
  return found;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A moment as it is, or one that is so far away. */
function timeOf(text: string): string {
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  return count === undefined ? text : new Date(Date.now() + Number(count) * UNITS[unit as keyof typeof UNITS]).toISOString();
}

function tellDelegations({ to }: CommandContext, items: readonly Delegation[], whole: unknown): ExitCode {
  to.out(to.json ? `${JSON.stringify(whole)}\n` : table(['DELEGATION', 'FROM', 'TO', 'UNTIL', 'FOR'], items.map(({ id, from, to: whom, until, scope }) => [id, from, whom, until, Object.entries(scope).map(([key, value]) => `${key} ${value}`).join(', ') || 'everything'])));
  return EXIT.ok;
}

function tellStanding({ to }: CommandContext, items: readonly Standing[], whole: unknown): ExitCode {
  const rows = items.map((item) => [item.id, item.person, item.agent ?? '–', `${item.server}: ${item.tool}`, item.state, item.until, String(item.uses), item.condition]);
  to.out(to.json ? `${JSON.stringify(whole)}\n` : table(['STANDING', 'BY', 'AGENT', 'TOOL', 'STATE', 'UNTIL', 'USES', 'CONDITION'], rows));
  return EXIT.ok;
}

export const approvalsDelegate: Command = {
  name: 'approvals delegate',
  arguments: 'PERSON',
  sentence: 'Let somebody else use your right to decide, until a time or for so many m, h or d; for one call with --approval, or for one --flow, --server or --step.',
  example: 'holdfast approvals delegate edsger --until 14d --flow two',
  options: { until: { type: 'string' }, approval: { type: 'string' }, flow: { type: 'string' }, server: { type: 'string' }, step: { type: 'string' } },
  positionals: 1,
  run: async (context) => {
    const connection = asPerson(context);
    const until = timeOf(needed(context, 'until')['until']!);
    const { approval } = given(context, 'approval');
    const to = context.words[0]!;
    if (approval !== undefined) {
      const done = (await connection.post(path(approval, '/delegations'), { to, until, ...given(context, 'step') })) as { readonly progress: string };
      context.to.out(context.to.json ? `${JSON.stringify(done)}\n` : 'Handed on, for this call.\n');
      return EXIT.ok;
    }
    const made = (await connection.post('/api/v1/approvals/delegations', { to, until, ...given(context, 'flow', 'server', 'step') })) as Delegation;
    return tellDelegations(context, [made], made);
  },
};

export const approvalsDelegations: Command = {
  name: 'approvals delegations',
  sentence: 'List the rights that are handed on now: yours, or all of them for who operates or audits; --end ID ends one.',
  example: 'holdfast approvals delegations',
  options: { end: { type: 'string' } },
  run: async (context) => {
    const { connection } = Connection.target(context.values, context.env);
    const { end } = given(context, 'end');
    if (end !== undefined) {
      const ended = (await connection.delete(`/api/v1/approvals/delegations/${encodeURIComponent(end)}`)) as Delegation;
      return tellDelegations(context, [ended], ended);
    }
    const found = (await connection.get('/api/v1/approvals/delegations')) as { readonly items: readonly Delegation[] };
    return tellDelegations(context, found.items, found);
  },
};

export const standingList: Command = {
  name: 'approvals standing list',
  sentence: 'List what was approved beforehand, the longest lasting first.',
  example: 'holdfast approvals standing list',
  run: async (context) => {
    const found = (await Connection.target(context.values, context.env).connection.get('/api/v1/approvals/standing')) as { readonly items: readonly Standing[] };
    return tellStanding(context, found.items, found);
  },
};

export const standingCreate: Command = {
  name: 'approvals standing create',
  arguments: 'APPROVAL',
  sentence: 'Approve beforehand what this agent does with this tool while a condition on the arguments holds, for at most 480 minutes.',
  example: `holdfast approvals standing create 01a1fe87-ca93-7227-924a-62b8b5453c53 --condition 'args.marker == "nightly"' --minutes 60 --reason "the nightly run"`,
  options: { condition: { type: 'string' }, minutes: { type: 'string' }, reason: { type: 'string' } },
  positionals: 1,
  run: async (context) => {
    const connection = asPerson(context);
    const { condition, minutes, reason } = needed(context, 'condition', 'minutes', 'reason');
    if (!/^[1-9]\d{0,2}$/.test(minutes!)) throw new CommandError(EXIT.usage, '--minutes is a number from 1 to 480');
    const made = (await connection.post('/api/v1/approvals/standing', { like: context.words[0]!, condition, minutes: Number(minutes), reason })) as Standing;
    return tellStanding(context, [made], made);
  },
};

export const standingRevoke: Command = {
  name: 'approvals standing revoke',
  arguments: 'STANDING',
  sentence: 'End a standing approval now.',
  example: 'holdfast approvals standing revoke 01a1fe87-ca93-7227-924a-62b8b5453c53',
  positionals: 1,
  run: async (context) => {
    const ended = (await Connection.target(context.values, context.env).connection.delete(`/api/v1/approvals/standing/${encodeURIComponent(context.words[0]!)}`)) as Standing;
    return tellStanding(context, [ended], ended);
  },
};
