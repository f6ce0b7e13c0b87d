// What `npm start` and `npm test` need before they can do anything: dependencies and a build. Plain Node, because nothing else is
// there yet. Both steps are skipped when their inputs have not changed, so a warm start costs a few milliseconds.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const MINIMUM = [20, 20];

/** Exits with a sentence when this Node is too old. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return;
  console.error(`Holdfast needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(78);
}

/** Installs the locked dependencies unless these very ones are there. */
export function installMissing() {
  const stamp = join(root, 'node_modules', '.holdfast-install');
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(`${process.platform} ${process.arch}`).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('holdfast: installing dependencies (once; about half a minute)');
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

/** Compiles everything to dist/ unless the sources are the ones dist/ was made of. */
export function build() {
  const stamp = join(root, 'dist', '.stamp');
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('holdfast: building');
  const fresh = join(root, `dist.${process.pid}`);
  run(process.execPath, [join(root, 'node_modules', 'typescript-native', 'bin', 'tsc'), '-p', join(root, 'tsconfig.json'), '--outDir', fresh, '--incremental', 'false'], () => rmSync(fresh, { recursive: true, force: true }));
  writeFileSync(join(fresh, '.stamp'), wanted);
  // Swapped in whole, so that a running process never sees half a build.
  const old = join(root, `dist.old.${process.pid}`);
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
  renameSync(fresh, join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
}

/** Lets `npx holdfast` find the command line in this clone. */
export function linkCommand() {
  const link = join(root, 'node_modules', '.bin', 'holdfast');
  if (process.platform === 'win32' || existsSync(link)) return;
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'tools', 'holdfast.mjs'), link);
}

function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) visit(child);
      else if (entry.name.endsWith('.ts')) hash.update(child).update('\0').update(readFileSync(join(root, child))).update('\0');
    }
  };
  for (const folder of ['apps', 'libs', 'bench', 'tools']) if (existsSync(join(root, folder))) visit(folder);
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function run(command, args, onFailure = () => undefined) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NODE_OPTIONS: '' } });
  if (error) console.error(`holdfast: ${command} did not start: ${error.message}`);
  if (status === 0) return;
  onFailure();
  process.exit(status ?? 1);
}
