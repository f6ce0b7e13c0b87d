import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startChild } from './child.ts';
import { type HoldfastUnderTest, SOLO, startHoldfast } from './holdfast.ts';
import { type LoadTarget, runLoad } from './load.ts';
import { cpuBetween, readParts } from './process-tree.ts';
import { breakdown, goals, type Measurement, summarize, table, type TargetName, TARGETS } from './report.ts';

const USAGE = `npm run bench -- [options]: calls per second, latency, CPU and memory of Holdfast beside a bare relay and no relay at all

  --rounds N      rounds, each with all targets in turn (3)
  --seconds N     length of each measurement (5)
  --sessions LIST numbers of sessions, e.g. 1,8,32
  --only LIST     of ${TARGETS.join(',')}
  --json PATH     where the numbers go (tmp/bench.json)

Exit codes: 0 all answers were right and the log verifies, 1 not, 2 usage, 69 not built.`;

const CATCH_UP_MS = 30_000;
const WARM_UP_SECONDS = 1;

interface Running {
  readonly name: TargetName;
  readonly load: LoadTarget;
  readonly roots: readonly number[];
  readonly holdfast?: HoldfastUnderTest;
}

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly sessions: readonly number[];
  readonly only: readonly TargetName[];
  readonly json: string;
}

/** What was asked for, or the exit code when that is all there is to do. */
function options(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '5' },
        sessions: { type: 'string', default: '1,8,32' },
        only: { type: 'string', default: TARGETS.join(',') },
        json: { type: 'string', default: 'tmp/bench.json' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const number = (text: string, max: number): number => {
      const value = Number(text);
      if (!(value > 0 && value <= max)) throw new Error('a number is out of range');
      return value;
    };
    const only = values.only.split(',').map((name) => TARGETS.find((target) => target === name));
    if (only.includes(undefined)) throw new Error(`--only takes ${TARGETS.join(', ')}`);
    return {
      rounds: Math.round(number(values.rounds, 100)),
      seconds: number(values.seconds, 3600),
      sessions: values.sessions.split(',').map((text) => Math.round(number(text, 1000))),
      only: only as TargetName[],
      json: resolve(values.json),
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
}

/** Waits until the projector has taken everything, so that one measurement does not pay for another. */
async function caughtUp(holdfast: HoldfastUnderTest): Promise<number | undefined> {
  const started = performance.now();
  while (performance.now() - started < CATCH_UP_MS) {
    const lag = await holdfast.lag();
    if (lag === undefined) return undefined;
    if (lag === 0) return performance.now() - started;
    await sleep(20);
  }
  return undefined;
}

async function measure(round: number, running: Running, sessions: number, seconds: number): Promise<Measurement> {
  const { name: target, load, roots, holdfast } = running;
  await runLoad({ target: load, sessions, seconds: WARM_UP_SECONDS });
  if (holdfast) await caughtUp(holdfast);
  const before = readParts(roots);
  const report = await runLoad({ target: load, sessions, seconds });
  const lag = await holdfast?.lag();
  const caughtUpMs = holdfast && (await caughtUp(holdfast));
  // Read after catching up: projecting a call is part of its cost, whenever it is done.
  const after = readParts(roots);
  const perCall = before && after && Object.fromEntries([...cpuBetween(before, after)].map(([part, us]) => [part, us / Math.max(1, report.calls)]));
  return {
    round,
    target,
    sessions,
    load: report,
    ...(perCall && { cpuUs: perCall }),
    ...(after && { memoryMib: Object.fromEntries([...after].map(([part, { memoryKib }]) => [part, memoryKib / 1024])) }),
    ...(holdfast && { projector: { lag, caughtUpMs } }),
  };
}

async function main(): Promise<number> {
  const chosen = options();
  if (typeof chosen === 'number') return chosen;
  if (chosen.only.includes('holdfast') && !existsSync(SOLO)) {
    console.error('Holdfast is not built: run npm start or npm test once, or leave it out with --only direct,relay');
    return 69;
  }
  const busyBefore = loadavg()[0] ?? 0;
  if (busyBefore > 0.5) console.error(`the machine is busy (load ${busyBefore.toFixed(2)}): believe the ratios more than the numbers`);
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll().finally(() => process.exit(130)));
  try {
    const upstream = await startChild('echo-upstream');
    stops.push(upstream.stop);
    const upstreamUrl = `http://127.0.0.1:${upstream.port}/mcp`;
    const running: Running[] = [];
    if (chosen.only.includes('direct')) running.push({ name: 'direct', load: { url: upstreamUrl, tool: 'echo' }, roots: [upstream.pid] });
    if (chosen.only.includes('relay')) {
      const relay = await startChild('bare-relay', [upstreamUrl]);
      stops.push(relay.stop);
      running.push({ name: 'relay', load: { url: `http://127.0.0.1:${relay.port}/mcp`, tool: 'echo' }, roots: [relay.pid] });
    }
    if (chosen.only.includes('holdfast')) {
      const holdfast = await startHoldfast(upstreamUrl);
      stops.push(holdfast.stop);
      running.push({ name: 'holdfast', load: { url: holdfast.url, token: holdfast.token, tool: 'echo__echo' }, roots: holdfast.roots, holdfast });
    }

    const measurements: Measurement[] = [];
    for (let round = 1; round <= chosen.rounds; round++) {
      for (const sessions of chosen.sessions) {
        // Another one begins in every round, so that none always runs on the machine that the one before it has warmed.
        for (let turn = 0; turn < running.length; turn++) {
          const one = await measure(round, running[(turn + round) % running.length]!, sessions, chosen.seconds);
          measurements.push(one);
          console.error(`round ${round}: ${one.target} at ${sessions}: ${one.load.rps.toFixed(0)} calls/s, p50 ${one.load.latencyMs.p50.toFixed(2)} ms`);
        }
      }
    }
    const holdfast = running.find(({ name }) => name === 'holdfast')?.holdfast;
    const verified = await holdfast?.verify();
    const rows = summarize(measurements);
    const met = goals(rows);
    console.log(`\n${table(rows)}`);
    const parts = breakdown(rows);
    if (parts !== '') console.log(`\nHoldfast, CPU per call and memory by part:\n${parts}`);
    if (met.length > 0) console.log(`\n${met.map(({ goal, measured, met: yes }) => `${yes ? 'met    ' : 'NOT MET'}  ${goal}: ${measured}`).join('\n')}`);
    if (verified) console.log(`\nholdfast audit verify: exit code ${verified.exitCode}${verified.exitCode === 0 ? '' : `\n${verified.output}`}`);
    const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), memoryMib: Math.round(totalmem() / 2 ** 20), kernel: release(), node: process.version, busyBefore };
    mkdirSync(dirname(chosen.json), { recursive: true });
    writeFileSync(chosen.json, `${JSON.stringify({ at: new Date().toISOString(), machine, options: chosen, rows, goals: met, verify: verified?.exitCode, measurements }, null, 2)}\n`);
    console.log(`\n${chosen.json}`);
    const wrong = rows.reduce((sum, row) => sum + row.wrong, 0);
    return wrong === 0 && (verified?.exitCode ?? 0) === 0 ? 0 : 1;
  } finally {
    await stopAll();
  }
}

process.exitCode = await main();
