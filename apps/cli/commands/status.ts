import { readRunning } from '#libs/composition';
import type { Command } from '../command.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { paint, table } from '../terminal.ts';

type Readiness = Readonly<Record<string, { readonly ready: boolean; readonly reason?: string; readonly [key: string]: unknown }>>;

export const status: Command = {
  name: 'status',
  sentence: 'Say whether Holdfast is ready, and what keeps it from being so.',
  example: 'holdfast status',
  run: async ({ values, env, to }) => {
    const url = (values['url'] as string | undefined) ?? env['HOLDFAST_URL'] ?? readRunning(env['HOLDFAST_DATA'] ?? '.holdfast')?.url;
    if (!url) throw new CommandError(EXIT.unavailable, 'no Holdfast is running here; give --url or set HOLDFAST_URL');
    const response = await fetch(new URL('/readyz', url)).catch(() => undefined);
    if (!response) throw new CommandError(EXIT.unavailable, `${url} does not answer`);
    const { status: overall, ...checks } = (await response.json()) as { status: string } & Readiness;
    if (to.json) to.out(`${JSON.stringify({ url, status: overall, ...checks })}\n`);
    else {
      to.out(`${url}: ${paint(to, response.ok ? 'green' : 'red', overall)}\n`);
      to.out(
        table(
          ['PART', 'STATE', 'DETAIL'],
          Object.entries(checks as unknown as Readiness).map(([name, { ready, reason, ...data }]) => [name, ready ? 'ready' : 'not ready', reason ?? Object.entries(data).map(([key, value]) => `${key} ${String(value)}`).join(', ')]),
        ),
      );
    }
    return response.ok ? EXIT.ok : EXIT.unavailable;
  },
};
