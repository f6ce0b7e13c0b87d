// Runs the pinned conformance suite and reads what it wrote: one folder for each scenario, with its checks.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { node22 } from '../node-22.mjs';
import { root } from '../prepare.mjs';
import { REQUIREMENT_SETS, verdictsOf } from './compare.mjs';
import { readRequirements } from './requirements.mjs';

const RUN_MS = 300_000;
const LIST_MS = 30_000;
const KEPT = 4_000;

export class Suite {
  #node;
  #sets;
  #results;
  #only;
  #signal;

  /** `only` is one scenario instead of all. What the suite writes is kept in the folder `results`. */
  constructor({ results, only, signal }) {
    // It uses what Node 20 does not have.
    this.#node = Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : node22();
    this.#sets = new Map(REQUIREMENT_SETS.map((set) => [set, this.#requirements(set)]));
    this.#results = results;
    this.#only = only;
    this.#signal = signal;
    if (only !== undefined && this.#setsWanted().length === 0) throw new Error(`no requirement set has a scenario ${only}`);
    rmSync(results, { recursive: true, force: true });
  }

  /** The verdicts of both requirement sets on the server at this URL. */
  async run(target, url) {
    const verdicts = [];
    for (const [set, { scored, unscored }] of this.#setsWanted()) {
      const output = join(this.#results, `${target}-${set}`);
      mkdirSync(output, { recursive: true });
      process.stderr.write(`parity: ${target}, ${set}: `);
      const which = this.#only === undefined ? ['--requirements', set] : ['--scenario', this.#only, '--spec-version', set];
      const said = await this.#spawn(['server', '--url', url, '-o', output, ...which]);
      process.stderr.write('\n');
      const checks = new Map(readdirSync(output).flatMap((folder) => readChecks(output, folder)));
      if (checks.size === 0) throw new Error(`the suite wrote nothing:\n${said}`);
      for (const scenario of this.#only === undefined ? [...scored, ...unscored] : [this.#only]) {
        verdicts.push(...verdictsOf({ set, scenario, scored: scored.includes(scenario), checks: checks.get(scenario) }));
      }
    }
    return verdicts;
  }

  /** The verdicts of one scenario of an extension, which no requirement set asks for. */
  async extension(scenario, url) {
    const set = REQUIREMENT_SETS.at(-1);
    const output = join(this.#results, scenario);
    mkdirSync(output, { recursive: true });
    // It is on no version's time line.
    const said = await this.#spawn(['server', '--url', url, '-o', output, '--scenario', scenario, '--spec-version', set, '--force']);
    let checks = new Map();
    try {
      checks = new Map(readdirSync(output).flatMap((folder) => readChecks(output, folder)));
    } catch {
      // It fell before it wrote what it found.
    }
    if (checks.size === 0) throw new Error(`the suite wrote nothing about ${scenario}:\n${said}`);
    return verdictsOf({ set, scenario, scored: true, checks: checks.get(scenario) });
  }

  /** Names of its scenarios for servers that begin like this. */
  scenarios(prefix) {
    const { status, stdout, stderr } = spawnSync(this.#node, this.#command(['list', '--server']), { encoding: 'utf8', timeout: LIST_MS });
    if (status !== 0) throw new Error(`the suite does not list its scenarios: ${stderr}`);
    return [...stdout.matchAll(/^\s*- (\S+)/gm)].map(([, scenario]) => scenario).filter((scenario) => scenario.startsWith(prefix));
  }

  #setsWanted() {
    return [...this.#sets].filter(([, { scored, unscored }]) => this.#only === undefined || scored.includes(this.#only) || unscored.includes(this.#only));
  }

  #command(args) {
    return [join(root, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js'), ...args];
  }

  #requirements(set) {
    const { status, stdout, stderr } = spawnSync(this.#node, this.#command(['list', '--server', '--requirements', set]), { encoding: 'utf8', timeout: LIST_MS });
    if (status !== 0) throw new Error(`the suite does not list ${set}: ${stderr}`);
    return readRequirements(stdout);
  }

  /** Its exit code counts scenarios; what counts here are the checks that it wrote. Resolves with the end of what it said. */
  #spawn(args) {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(RUN_MS)]);
    return new Promise((resolve, reject) => {
      const child = spawn(this.#node, this.#command(args), { env: { PATH: process.env.PATH, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
      let said = '';
      child.stdout.on('data', (chunk) => {
        const text = chunk.toString();
        said = (said + text).slice(-KEPT);
        // One point for each scenario.
        process.stderr.write('.'.repeat(text.split('Running client scenario').length - 1));
      });
      child.stderr.on('data', (chunk) => (said = (said + chunk.toString()).slice(-KEPT)));
      child.once('error', (error) => reject(new Error(`the suite was broken off: ${signal.aborted ? signal.reason.message : error.message}`)));
      child.once('close', () => resolve(said));
    });
  }
}

/** A folder is named `server-<scenario>-<when>`. */
function readChecks(output, folder) {
  const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1];
  return scenario === undefined ? [] : [[scenario, JSON.parse(readFileSync(join(output, folder, 'checks.json'), 'utf8'))]];
}
