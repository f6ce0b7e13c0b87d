// node tools/parity.mjs: the official conformance suite against the everything server, once directly and once through Holdfast with a
// policy that allows everything. What differs must stand in parity/allowed.json, with its reason.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startBearerProxy } from './parity/bearer-proxy.mjs';
import { checkAllowed, compare } from './parity/compare.mjs';
import { startChores, startEverything } from './parity/everything.mjs';
import { startRelay } from './parity/relay.mjs';
import { print } from './parity/report.mjs';
import { Suite } from './parity/suite.mjs';
import { runTasks, startTasks } from './parity/tasks.mjs';
import { build, installMissing, requireNode, root } from './prepare.mjs';

const USAGE = `node tools/parity.mjs [options]: what the conformance suite says directly and through Holdfast

  --only SCENARIO  one scenario, which need not be scored
  --direct         only directly, without Holdfast
  --tasks          the scenarios about tasks, which are an extension: through Holdfast to a server that has none; every check must pass
                   but those of parity/allowed-tasks.json
  --upstream ERA   through Holdfast to an everything server that speaks only the modern or only the legacy era; parity/allowed-ERA.json
                   says what may differ then, beside what is allowed anyway
  --json PATH      where the result goes (tmp/parity.json); what the suite wrote is in tmp/parity/

Exit codes: 0 nothing differs but what is allowed, 1 something does, or an allowed difference is none, 2 usage.`;

const options = readOptions();
const closers = [];
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));

let outcome;
try {
  outcome = await run(interrupted.signal);
} finally {
  // What was started last ends first.
  while (closers.length > 0) await closers.pop()();
}
print(outcome, options);
mkdirSync(dirname(options.json), { recursive: true });
writeFileSync(options.json, `${JSON.stringify(outcome, null, 2)}\n`);
process.exitCode = outcome.passed ? 0 : 1;

async function run(signal) {
  if (options.tasks) return tasks(signal);
  const allowed = readAllowed('allowed.json');
  // What only this era of the upstream brings must occur; what is allowed anyway may.
  const own = options.upstream === undefined ? allowed : readAllowed(`allowed-${options.upstream}.json`);
  requireNode();
  installMissing();
  build();
  const suite = new Suite({ results: join(root, 'tmp', 'parity'), only: options.only, signal });
  const everything = await started(startEverything());
  const direct = await suite.run('direct', everything.url);
  if (options.direct) return compare({ direct });

  const directory = mkdtempSync(join(tmpdir(), 'holdfast-parity-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const upstream = options.upstream === undefined ? everything : await started(startEverything(options.upstream));
  const relay = await started(startRelay({ directory, upstreamUrl: upstream.url, signal }));
  const proxy = await started(startBearerProxy(relay.url, relay.token));
  const through = await suite.run('through', `${proxy.url}/mcp/s/everything`);
  const mustOccur = (entry) => own.includes(entry) && (options.only === undefined || entry.scenario === options.only);
  return compare({ direct, through, allowed: [...new Set([...allowed, ...own])], mustOccur });
}

async function tasks(signal) {
  requireNode();
  installMissing();
  build();
  const suite = new Suite({ results: join(root, 'tmp', 'parity-tasks'), signal });
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-parity-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const chores = await started(startChores());
  const holdfast = await started(startTasks({ directory, upstreamUrl: chores.url, signal }));
  const proxy = await started(startBearerProxy(holdfast.url, holdfast.token));
  const through = await runTasks({ suite, only: options.only, url: `${proxy.url}/mcp/s/chores` });
  // There is nothing to compare with: what was to be is that everything passes.
  const direct = through.map((verdict) => ({ ...verdict, status: 'SUCCESS', message: undefined }));
  const mustOccur = ({ scenario }) => options.only === undefined || scenario === options.only;
  return compare({ direct, through, allowed: readAllowed('allowed-tasks.json'), mustOccur });
}

function readAllowed(name) {
  const file = join(root, 'tools', 'parity', name);
  return existsSync(file) ? checkAllowed(JSON.parse(readFileSync(file, 'utf8'))) : [];
}

async function started(starting) {
  const something = await starting;
  closers.push(something.stop);
  return something;
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: { only: { type: 'string' }, direct: { type: 'boolean', default: false }, tasks: { type: 'boolean', default: false }, upstream: { type: 'string' }, json: { type: 'string', default: join('tmp', 'parity.json') }, help: { type: 'boolean', default: false } } });
    if (values.upstream !== undefined && !['modern', 'legacy'].includes(values.upstream)) throw new Error('an era is modern or legacy');
    if (values.tasks && (values.direct || values.upstream !== undefined)) throw new Error('--tasks stands alone');
    if (!values.help) return { ...values, json: resolve(values.json) };
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
