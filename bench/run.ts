import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HoldfastUnderTest, SOLO } from './holdfast.ts';
import { runLoad } from './load.ts';
import { type Combination, nameOf } from './matrix.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { cpuBetween, type Parts, readParts } from './process-tree.ts';
import { breakdown, goals, type Measurement, summarize, table } from './report.ts';
import { loadOn, type Target, Targets, UPSTREAM_PART } from './targets.ts';

const CATCH_UP_MS = 30_000;
const WARM_UP_SECONDS = 1;

/** What was asked for, or the exit code when that is all there is to do. */
function options(): Options | number {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read) return read;
    console.log(USAGE);
    return 0;
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

/** The parts of a target without the upstream that is its child: what a tool costs is not what it costs to reach it. */
function ownParts(roots: readonly number[]): Parts | undefined {
  const parts = readParts(roots);
  return parts && new Map([...parts].filter(([name]) => name !== UPSTREAM_PART));
}

async function measure(round: number, combination: Combination, target: Target, sessions: number, seconds: number): Promise<Measurement> {
  const { roots, holdfast } = target;
  const load = { target: loadOn(target, combination), sessions, payloadLength: combination.payload };
  await runLoad({ ...load, seconds: WARM_UP_SECONDS });
  if (holdfast) await caughtUp(holdfast);
  const before = ownParts(roots);
  const report = await runLoad({ ...load, seconds });
  const lag = await holdfast?.lag();
  const caughtUpMs = holdfast && (await caughtUp(holdfast));
  // Read after catching up: projecting a call is part of its cost, whenever it is done.
  const after = ownParts(roots);
  const perCall = before && after && Object.fromEntries([...cpuBetween(before, after)].map(([part, us]) => [part, us / Math.max(1, report.calls)]));
  return {
    round,
    combination,
    target: target.name,
    sessions,
    load: report,
    ...(perCall && { cpuUs: perCall }),
    ...(after && { memoryMib: Object.fromEntries([...after].map(([part, { memoryKib }]) => [part, memoryKib / 1024])) }),
    ...(holdfast && { projector: { lag, caughtUpMs } }),
  };
}

async function measureAll(chosen: Options, targets: Targets): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= chosen.rounds; round++) {
    for (const combination of chosen.combinations) {
      const running = targets.of(combination);
      for (const sessions of chosen.sessions) {
        // Another one begins in every round, so that none always runs on the machine that the one before it has warmed.
        for (let turn = 0; turn < running.length; turn++) {
          const one = await measure(round, combination, running[(turn + round) % running.length]!, sessions, chosen.seconds);
          measurements.push(one);
          console.error(`round ${round}: ${nameOf(combination)}: ${one.target} at ${sessions}: ${one.load.rps.toFixed(0)} calls/s, p50 ${one.load.latencyMs.p50.toFixed(2)} ms`);
        }
      }
    }
  }
  return measurements;
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
  const targets = new Targets();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void targets.stop().finally(() => process.exit(130)));
  try {
    const skipped = await targets.start(chosen.only, chosen.combinations);
    for (const reason of skipped) console.error(`skipped: ${reason}`);
    const measurements = await measureAll(chosen, targets);
    const verified = await targets.holdfast?.verify();
    const rows = summarize(measurements);
    const met = goals(rows);
    console.log(`\n${table(rows)}`);
    const parts = breakdown(rows);
    if (parts !== '') console.log(`\nHoldfast, CPU per call and memory by part:\n${parts}`);
    if (met.length > 0) console.log(`\n${met.map(({ goal, measured, met: yes }) => `${yes ? 'met    ' : 'NOT MET'}  ${goal}: ${measured}`).join('\n')}`);
    if (skipped.length > 0) console.log(`\n${skipped.map((reason) => `SKIPPED  ${reason}`).join('\n')}`);
    if (verified) console.log(`\nholdfast audit verify: exit code ${verified.exitCode}${verified.exitCode === 0 ? '' : `\n${verified.output}`}`);
    const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), memoryMib: Math.round(totalmem() / 2 ** 20), kernel: release(), node: process.version, busyBefore };
    mkdirSync(dirname(chosen.json), { recursive: true });
    writeFileSync(chosen.json, `${JSON.stringify({ at: new Date().toISOString(), machine, options: chosen, skipped, rows, goals: met, verify: verified?.exitCode, measurements }, null, 2)}\n`);
    console.log(`\n${chosen.json}`);
    const wrong = rows.reduce((sum, one) => sum + one.wrong, 0);
    return wrong === 0 && (verified?.exitCode ?? 0) === 0 ? 0 : 1;
  } finally {
    await targets.stop();
  }
}

process.exitCode = await main();
