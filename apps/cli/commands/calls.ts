import type { Command } from '../command.ts';
import { Connection } from '../connection.ts';
import { EXIT } from '../exit-code.ts';
import { table } from '../terminal.ts';

interface Call {
  readonly call: string;
  readonly state: string;
  readonly user: string | null;
  readonly agent: string | null;
  readonly exposed: string | null;
  readonly effect: string | null;
  readonly rule: string | null;
  readonly code: string | null;
  readonly outcome: string | null;
  readonly requestedAt: string | null;
}

const FILTERS = ['user', 'client', 'agent', 'server', 'tool', 'class', 'outcome', 'decision', 'state', 'run', 'from', 'to', 'limit', 'after'] as const;
const or = (text: string | null): string => text ?? '–';

export const callsList: Command = {
  name: 'calls list',
  sentence: 'List calls, newest first, with their decision and outcome.',
  example: 'holdfast calls list --decision deny --limit 20',
  options: Object.fromEntries(FILTERS.map((name) => [name, { type: 'string' as const }])),
  run: async ({ values, env, to }) => {
    const { connection } = Connection.target(values, env);
    const query = new URLSearchParams(FILTERS.flatMap((name): [string, string][] => {
      const value = values[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }));
    const page = (await connection.get(`/api/v1/calls?${query.toString()}`)) as { items: readonly Call[]; next: string | null };
    if (to.json) to.out(`${JSON.stringify(page)}\n`);
    else {
      const rows = page.items.map((call) => [or(call.requestedAt), call.call, or(call.agent ?? call.user), or(call.exposed), or(call.effect), or(call.rule ?? call.code), or(call.outcome ?? call.state)]);
      to.out(table(['TIME', 'CALL', 'WHO', 'TOOL', 'DECISION', 'RULE', 'OUTCOME'], rows));
      if (page.next !== null) to.err(`more: --after ${page.next}\n`);
    }
    return EXIT.ok;
  },
};

interface Timeline {
  readonly call: Call & Readonly<Record<string, unknown>>;
  readonly timeline: readonly { readonly index: number; readonly leaf: string; readonly event: { readonly type: string; readonly time: string; readonly data: unknown } | null }[];
}

export const callsShow: Command = {
  name: 'calls show',
  arguments: 'CALL',
  sentence: 'Show everything the log says of one call, with the index of each event.',
  example: 'holdfast calls show 01a1fe87-ca93-7227-924a-62b8b5453c53',
  positionals: 1,
  run: async ({ values, words, env, to }) => {
    const { connection } = Connection.target(values, env);
    const found = (await connection.get(`/api/v1/calls/${encodeURIComponent(words[0]!)}`)) as Timeline;
    if (to.json) {
      to.out(`${JSON.stringify(found)}\n`);
      return EXIT.ok;
    }
    const facts = Object.entries(found.call).filter(([name, value]) => value !== null && name !== 'events' && name !== 'eventCount' && name !== 'firstIndex');
    to.out(table(['FACT', 'VALUE'], facts.map(([name, value]) => [name, String(value)])));
    to.out(`\n${table(['INDEX', 'TIME', 'EVENT', 'DATA'], found.timeline.map(({ index, event }) => [String(index), event?.time ?? '–', event?.type ?? 'unreadable', event ? JSON.stringify(event.data) : '–']))}`);
    return EXIT.ok;
  },
};
