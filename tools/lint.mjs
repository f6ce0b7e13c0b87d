// npm run lint: oxlint with type information, then the import rules. Exits non-zero on any finding.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
let ok = true;
for (const [command, ...args] of [
  [bin('oxlint'), '--type-aware', '--deny-warnings', 'apps', 'libs', 'bench', 'tools'],
  [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'bench', 'tools'],
  [process.execPath, 'tools/check-guards.mjs'],
]) {
  if (command === process.execPath && !existsSync(join(root, args[0]))) throw new Error(`${args[0]} is missing`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } });
  ok &&= status === 0;
}
process.exit(ok ? 0 : 1);
