import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts one PostgreSQL for the whole run in a directory of its own, so that runs can go side by side. */
export default function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  chmodSync(directory, 0o755);
  const root = join(import.meta.dirname, '..', '..', '..');
  execFileSync(process.execPath, ['--import', 'tsx', '--conditions', 'source', join(import.meta.dirname, 'start-cluster.ts'), directory], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') } });
  process.env.HOLDFAST_TEST_CLUSTER = directory;
}
