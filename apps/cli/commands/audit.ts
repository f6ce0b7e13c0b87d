import { join } from 'node:path';
import type { Command, CommandContext } from '../command.ts';
import { Connection } from '../connection.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-code.ts';
import { paint, plain, progressBar, table, type Terminal } from '../terminal.ts';
import { Verified } from '../verified.ts';

interface Property {
  readonly property: string;
  readonly status: 'PASS' | 'FAIL' | 'NOT CHECKED';
  readonly sentence: string;
  readonly index?: number;
}

interface Report {
  readonly verdict: string;
  readonly exitCode: 0 | 1 | 3;
  readonly properties: readonly Property[];
}

interface VerifyReport extends Report {
  readonly size: number;
  readonly root: string;
  readonly remember?: Readonly<Record<string, unknown>>;
}

interface CheckReport extends Report {
  readonly entries: number;
  readonly violations: readonly { readonly invariant: string; readonly index: number; readonly call?: string; readonly sentence: string }[];
  readonly notes: readonly string[];
}

const COLOURS = { PASS: 'green', FAIL: 'red', 'NOT CHECKED': 'yellow' } as const;

export const auditVerify: Command = {
  name: 'audit verify',
  sentence: 'Recompute a whole log from its stored bytes and compare: PASS, FAIL or NOT CHECKED for each property.',
  example: 'holdfast audit verify --all',
  options: { all: { type: 'boolean' }, incremental: { type: 'boolean' }, remember: { type: 'string' } },
  run: (context) => {
    const { values, env } = context;
    const given = values['remember'] as string | undefined;
    const local = Connection.data(env);
    const verified = given ?? local ? new Verified(given ?? join(local!, 'verified.json')) : undefined;
    if (values['incremental'] && !verified) throw new CommandError(EXIT.usage, '--incremental needs --remember FILE: what was verified before');
    return eachTenant(context, async (connection, tenant) => {
      const remembered = verified?.of(tenant);
      const body = remembered ? { remembered, ...(values['incremental'] ? { incremental: true } : {}) } : {};
      const report = (await withProgress(context.to, `verifying ${tenant}`, (onProgress) => connection.run('/api/v1/audit/verify', body, onProgress))) as VerifyReport;
      if (report.remember) verified?.keep(tenant, report.remember);
      return { report, heading: `log of ${tenant}: ${report.size} entries, root ${report.root}`, lines: [] };
    });
  },
};

export const auditCheck: Command = {
  name: 'audit check',
  sentence: 'Test the promises I1 to I4 (and I7, as far as this version records it) on the whole history.',
  example: 'holdfast audit check --all',
  options: { all: { type: 'boolean' }, closed: { type: 'boolean' } },
  run: (context) =>
    eachTenant(context, async (connection, tenant) => {
      const body = context.values['closed'] ? { closed: true } : {};
      const report = (await withProgress(context.to, `checking ${tenant}`, (onProgress) => connection.run('/api/v1/audit/check', body, onProgress))) as CheckReport;
      const violations = report.violations.map(({ invariant, index, call, sentence }) => `  ${invariant} at index ${index}${call === undefined ? '' : ` (call ${call})`}: ${sentence}`);
      return { report, heading: `history of ${tenant}: ${report.entries} events`, lines: [...violations, ...report.notes.map((note) => `  note: ${note}`)] };
    }),
};

interface Told {
  readonly report: Report;
  readonly heading: string;
  readonly lines: readonly string[];
}

/** One log, or with --all every log of an embedded installation; the worst exit code counts. */
async function eachTenant(context: CommandContext, judge: (connection: Connection, tenant: string) => Promise<Told>): Promise<ExitCode> {
  const { values, env, to } = context;
  const targets = values['all'] ? Connection.all(env) : [Connection.target(values, env)];
  const codes: number[] = [];
  for (const { connection, tenant } of targets) {
    const { report, heading, lines } = await judge(connection, tenant);
    // A log that nothing was ever written to is no finding when all of them are asked for.
    if (!(values['all'] && report.verdict === 'NO ENTRIES')) codes.push(report.exitCode);
    if (to.json) {
      to.out(`${JSON.stringify({ tenant, ...report })}\n`);
      continue;
    }
    const rows = report.properties.map((property) => [paint(to, COLOURS[property.status], property.status.padEnd(11)), property.property, `${property.sentence}${property.index === undefined ? '' : ` (index ${property.index})`}`]);
    to.out(`${heading}\n${table(['RESULT', 'PROPERTY', ''], rows)}${lines.map((line) => `${plain(line)}\n`).join('')}${report.verdict}\n\n`);
  }
  if (codes.includes(1)) return EXIT.failed;
  return codes.includes(3) || codes.length === 0 ? EXIT.incomplete : EXIT.ok;
}

async function withProgress<T>(to: Terminal, label: string, work: (onProgress: (done: number, total: number) => void) => Promise<T>): Promise<T> {
  const bar = progressBar(to, label);
  try {
    return await work(to.json ? () => undefined : (done, total) => bar.update(done, total));
  } finally {
    bar.end();
  }
}
