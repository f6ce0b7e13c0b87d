import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Combination, combinations, delayOf, ERAS, listOf, oneOf, payloadOf, UPSTREAMS } from './matrix.ts';
import { type TargetName, TARGETS } from './report.ts';

export const USAGE = `npm run bench -- [options]: calls per second, latency, CPU and memory of Holdfast beside a bare relay and no relay at all

  --rounds N      rounds, each with all targets in turn (3)
  --seconds N     length of each measurement (5)
  --sessions LIST numbers of sessions (1,8,32)
  --payload LIST  bytes that a call carries there and back, e.g. 20,10k,1m (20)
  --delay LIST    how long the tool takes, in ms, e.g. 0,50 (0)
  --upstream LIST of ${UPSTREAMS.join(',')} (http)
  --era LIST      what the client and its upstream speak, of ${ERAS.join(',')} (legacy)
  --only LIST     of ${TARGETS.join(',')}
  --json PATH     where the numbers go (tmp/bench.json)

Every combination of the lists is measured. A stdio server has one client, the process that started it: there are no direct calls to it,
and the relay it is compared with speaks HTTP to the clients and stdio to the server.

Exit codes: 0 all answers were right and the log verifies, 1 not, 2 usage, 69 not built.`;

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly sessions: readonly number[];
  readonly combinations: readonly Combination[];
  readonly only: readonly TargetName[];
  readonly json: string;
}

/** What was asked for; undefined when that is help. Throws with what is wrong. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      sessions: { type: 'string', default: '1,8,32' },
      payload: { type: 'string', default: '20' },
      delay: { type: 'string', default: '0' },
      upstream: { type: 'string', default: 'http' },
      era: { type: 'string', default: 'legacy' },
      only: { type: 'string', default: TARGETS.join(',') },
      json: { type: 'string', default: 'tmp/bench.json' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    rounds: Math.max(1, Math.round(number(values.rounds, 100))),
    seconds: number(values.seconds, 3_600),
    sessions: listOf(values.sessions, (text) => Math.max(1, Math.round(number(text, 1_000)))),
    combinations: combinations({
      payloads: listOf(values.payload, payloadOf),
      delays: listOf(values.delay, delayOf),
      upstreams: listOf(values.upstream, oneOf(UPSTREAMS)),
      eras: listOf(values.era, oneOf(ERAS)),
    }),
    only: listOf(values.only, oneOf(TARGETS)),
    json: resolve(values.json),
  };
}

function number(text: string, max: number): number {
  const value = Number(text);
  if (!(value > 0 && value <= max)) throw new Error(`not a number up to ${max}: ${text}`);
  return value;
}
