import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { expectProven, settled } from './history.ts';
import { world } from './world.ts';

const WORKERS = 8;

/**
 * Load through the broker, SIGKILL at a random moment, start again; after each round the witness's executions and the agent's
 * answers are held against the log.
 */
export async function crashRounds(rounds: number, kill: 'broker' | 'tree'): Promise<{ answered: number; executed: number; unknown: number }> {
  const w = await world();
  const answered = new Set<string>();
  let unknown = 0;
  try {
    await w.installation.start();
    for (let round = 1; round <= rounds; round++) {
      const caller = w.caller(round % 2 === 0 ? '/mcp' : '/mcp/s/wit');
      const tool = (name: string): string => (round % 2 === 0 ? `wit__${name}` : name);
      let running = true;
      const workers = Array.from({ length: WORKERS }, async (_, i) => {
        while (running) {
          const marker = randomUUID();
          try {
            const answer = await caller.call(tool(i % 2 === 0 ? 'read' : 'write'), { marker, delayMs: i === 0 ? 20 : 0 }, { 'dev.holdfast/idempotencyKey': marker });
            if (answer.body.result?.content?.[0]?.text === `done ${marker}`) answered.add(marker);
            else if (running) await sleep(5);
          } catch {
            // The broker is gone: this call was not answered, and nothing is claimed for it.
            if (running) await sleep(5);
          }
        }
      });
      await sleep(100 + Math.random() * 600);
      await (kill === 'tree' ? w.installation.killTree() : w.installation.killBroker());
      running = false;
      await Promise.all(workers);
      await caller.close();
      await w.installation.start();

      const calls = await settled(w.installation, w.auditorToken);
      const byKey = new Map([...calls.values()].map((call) => [call.key, call]));
      const wrong: string[] = [];
      for (const marker of answered) {
        const call = byKey.get(marker);
        if (call?.effect !== 'allow' || call.outcomes[0] !== 'succeeded') wrong.push(`answered without its records: ${marker} ${call?.types.join(' ') ?? 'nothing'}`);
      }
      for (const [marker, times] of w.upstream.executed) {
        if (times !== 1) wrong.push(`executed ${times} times: ${marker}`);
        if (byKey.get(marker)?.effect !== 'allow') wrong.push(`executed without a decision: ${marker}`);
      }
      for (const call of calls.values()) {
        if (call.effect === 'allow' && call.outcomes.length !== 1) wrong.push(`outcomes of ${call.call}: ${call.outcomes.join(' ')}`);
      }
      expect({ round, wrong }).toEqual({ round, wrong: [] });
      unknown = [...calls.values()].filter((call) => call.outcomes.includes('call.outcome_unknown')).length;
      await expectProven(w.installation);
    }
    return { answered: answered.size, executed: w.upstream.executed.size, unknown };
  } finally {
    await w.close();
  }
}
