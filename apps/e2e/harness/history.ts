import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Envelope } from '#libs/contracts';
import type { Installation } from './holdfast.ts';

/** Reads through the API, page by page, as an auditor. */
export async function events(installation: Installation, token: string, query: Readonly<Record<string, string>> = {}): Promise<Envelope[]> {
  const found: Envelope[] = [];
  let after: string | undefined;
  do {
    const parameters = new URLSearchParams({ limit: '500', ...query, ...(after === undefined ? {} : { after }) });
    const response = await fetch(`${installation.url}/api/v1/audit/events?${parameters.toString()}`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    const page = (await response.json()) as { items: { event: Envelope }[]; next?: string | null };
    found.push(...page.items.map((item) => item.event));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}

export interface CallHistory {
  readonly call: string;
  readonly key: string | undefined;
  readonly events: readonly Envelope[];
  readonly types: readonly string[];
  readonly effect: string | undefined;
  readonly outcomes: readonly string[];
}

const OUTCOMES = new Set(['call.completed', 'call.abandoned', 'call.outcome_unknown']);

/** What the log says of each call, by call id. */
export function callsOf(history: readonly Envelope[]): Map<string, CallHistory> {
  const calls = new Map<string, Envelope[]>();
  for (const event of history) {
    if (event.links.call === undefined) continue;
    calls.set(event.links.call, [...(calls.get(event.links.call) ?? []), event]);
  }
  return new Map(
    [...calls].map(([call, own]) => [
      call,
      {
        call,
        key: own.find((event) => event.type === 'call.requested')?.data['idempotencyKey'] as string | undefined,
        events: own,
        types: own.map((event) => event.type),
        effect: own.find((event) => event.type === 'policy.decided')?.data['effect'] as string | undefined,
        outcomes: own.filter((event) => OUTCOMES.has(event.type)).map((event) => (event.type === 'call.completed' ? String(event.data['outcome']) : event.type)),
      },
    ]),
  );
}

/** Waits until the projector has everything and no allowed call is open any more. */
export async function settled(installation: Installation, token: string): Promise<Map<string, CallHistory>> {
  for (let waited = 0; ; waited += 100) {
    const ready = (await fetch(`${installation.url}/readyz`).then((response) => response.json())) as { projector?: { lag?: number } };
    if (ready.projector?.lag === 0) {
      const calls = callsOf(await events(installation, token));
      if ([...calls.values()].every((call) => call.effect !== 'allow' || call.outcomes.length > 0)) return calls;
    }
    if (waited > 30_000) throw new Error('calls are still open, or the projector lags');
    await sleep(100);
  }
}

/** Both judges, as a customer runs them; every end-to-end and crash test ends with this. */
export async function expectProven(installation: Installation): Promise<void> {
  const verify = await installation.cli('audit', 'verify', '--all');
  expect({ what: 'verify', code: verify.code, out: verify.code === 0 ? '' : verify.stdout + verify.stderr }).toEqual({ what: 'verify', code: 0, out: '' });
  const check = await installation.cli('audit', 'check', '--all');
  expect({ what: 'check', code: check.code, out: check.code === 0 ? '' : check.stdout + check.stderr }).toEqual({ what: 'check', code: 0, out: '' });
}
