import type { Connection } from '../../connection.ts';
import { table, type Terminal } from '../../terminal.ts';

export interface Approval {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly caller: { readonly user: string; readonly client: string; readonly agent: string | null };
  readonly server: string;
  readonly tool: string;
  readonly impactClass: string;
  readonly rule: string;
  readonly why: string;
  readonly progress: string;
  readonly steps: readonly { readonly name: string; readonly need: number; readonly state: string; readonly people: readonly string[] }[];
  readonly votes: readonly { readonly person: string; readonly verdict: string; readonly step: string; readonly at: string; readonly counts: boolean }[];
  readonly edits: readonly { readonly person: string }[];
  readonly argsDigest: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export interface ShownApproval extends Approval {
  readonly opened: { readonly args: unknown; readonly reason: string | null; readonly hidden: number } | null;
  readonly rights: Readonly<Record<string, unknown>>;
}

export function path(id: string, more = ''): string {
  return `/api/v1/approvals/${encodeURIComponent(id)}${more}`;
}

export async function fetchApproval(connection: Connection, id: string, unredacted = false): Promise<ShownApproval> {
  return (await connection.get(path(id, unredacted ? '?unredacted=true' : ''))) as ShownApproval;
}

export function tellApproval(to: Terminal, approval: ShownApproval): void {
  if (to.json) return to.out(`${JSON.stringify(approval)}\n`);
  const { caller, opened } = approval;
  to.out(
    table(
      ['FACT', 'VALUE'],
      [
        ['approval', approval.id],
        ['status', approval.status],
        ['version', String(approval.version)],
        ['progress', approval.progress],
        ['agent', caller.agent ?? '–'],
        ['user', caller.user],
        ['client', caller.client],
        ['tool', approval.tool],
        ['server', approval.server],
        ['class', approval.impactClass],
        ['why', `${approval.why} (rule ${approval.rule})`],
        ['reason', opened ? (opened.reason ?? '–') : 'not shown to you'],
        ['asked', approval.createdAt],
        ['expires', approval.expiresAt],
        ['arguments', opened ? JSON.stringify(opened.args) : 'not shown to you'],
        ['hidden', opened ? `${opened.hidden} values${opened.hidden > 0 ? '; --unredacted shows them, which is recorded' : ''}` : '–'],
        ['digest', approval.argsDigest],
      ],
    ),
  );
  to.out(`\n${table(['STEP', 'STATE', 'NEEDS', 'PEOPLE'], approval.steps.map(({ name, state, need, people }) => [name, state, `${need} of ${people.length}`, people.join(', ') || '–']))}`);
  if (approval.votes.length === 0) return;
  to.out(`\n${table(['PERSON', 'DECIDED', 'STEP', 'TIME'], approval.votes.map(({ person, verdict, step, at, counts }) => [person, counts ? verdict : `${verdict} (counts no more)`, step, at]))}`);
}
