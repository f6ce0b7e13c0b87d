// The checks of .ci/run, one after the other; see CONTRIBUTING.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureRedis } from './ensure-redis.mjs';
import { requireNode, root } from './prepare.mjs';

requireNode();
const report = join(root, 'tmp', 'jest-report.json');
mkdirSync(join(root, 'tmp'), { recursive: true });
rmSync(report, { force: true });

let passed = 0;
let failed = 0;
let skipped = 0;

function check(name, command, args, env = {}) {
  const started = Date.now();
  console.log(`\n=== ${name}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  const ok = status === 0 && !error;
  console.log(`=== ${name}: ${ok ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return ok;
}

const count = (ok) => (ok ? passed++ : failed++);
const tool = (...path) => join(root, 'node_modules', ...path);

ensureRedis();

// The README's test command, with a machine-readable report of what it ran.
const testsPassed = check('npm test', 'npm', ['test', '--silent', '--', '--ci', '--json', `--outputFile=${report}`]);
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  skipped += result.numPendingTests + result.numTodoTests;
  if (!testsPassed && result.numFailedTests + result.numRuntimeErrorTestSuites === 0) failed++;
  if (result.numTotalTests === 0) failed++;
} else {
  failed++;
}

count(check('typecheck', process.execPath, [tool('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit', '--incremental', 'false']));
count(check('lint and boundaries', process.execPath, ['tools/lint.mjs']));
count(check('lock file is whole', process.execPath, ['tools/lock-platforms.mjs', '--check']));
count(check('Nx knows the projects', process.execPath, [tool('nx', 'dist', 'bin', 'nx.js'), 'show', 'projects'], { NX_DAEMON: 'false', NX_CACHE_PROJECT_GRAPH: 'false' }));
count(check('conformance, directly and through Holdfast', process.execPath, ['tools/parity.mjs']));
for (const era of ['legacy', 'modern']) count(check(`conformance, through Holdfast to a server of the ${era} era`, process.execPath, ['tools/parity.mjs', '--upstream', era]));
count(check('conformance of tasks', process.execPath, ['tools/parity.mjs', '--tasks']));
count(check('smoke on Node 22', process.execPath, ['tools/smoke-node-22.mjs']));

console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
