import type { Command } from '../../command.ts';
import { Connection } from '../../connection.ts';
import { EXIT } from '../../exit-code.ts';
import { table } from '../../terminal.ts';
import { type Approval, fetchApproval, tellApproval } from './shown.ts';

export const approvalsList: Command = {
  name: 'approvals list',
  sentence: 'List held calls, newest first; --mine for what waits for you.',
  example: 'holdfast approvals list --state held --limit 20',
  options: { state: { type: 'string' }, mine: { type: 'boolean' }, limit: { type: 'string' }, after: { type: 'string' } },
  run: async ({ values, env, to }) => {
    const { connection } = Connection.target(values, env);
    const query = new URLSearchParams(values['mine'] ? { mine: 'true' } : {});
    for (const name of ['state', 'limit', 'after']) if (typeof values[name] === 'string') query.set(name, values[name]);
    const page = (await connection.get(`/api/v1/approvals?${query.toString()}`)) as { readonly items: readonly Approval[]; readonly next: string | null };
    if (to.json) to.out(`${JSON.stringify(page)}\n`);
    else {
      to.out(table(['ASKED', 'APPROVAL', 'WHO', 'TOOL', 'STATUS', 'EXPIRES', 'PROGRESS'], page.items.map((item) => [item.createdAt, item.id, item.caller.agent ?? item.caller.user, `${item.server}: ${item.tool}`, item.status, item.expiresAt, item.progress])));
      if (page.next !== null) to.err(`more: --after ${page.next}\n`);
    }
    return EXIT.ok;
  },
};

export const approvalsShow: Command = {
  name: 'approvals show',
  arguments: 'APPROVAL',
  sentence: 'Show one held call: what exactly would run, why people are asked, and who decided so far.',
  example: 'holdfast approvals show 01a1fe87-ca93-7227-924a-62b8b5453c53',
  options: { unredacted: { type: 'boolean' } },
  positionals: 1,
  run: async ({ values, words, env, to }) => {
    const { connection } = Connection.target(values, env);
    tellApproval(to, await fetchApproval(connection, words[0]!, values['unredacted'] === true));
    return EXIT.ok;
  },
};
