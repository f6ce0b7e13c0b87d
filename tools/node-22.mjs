// A Node 22 to run things with beside the Node that runs us. Its binary comes as an npm package into tmp/, outside the product's
// dependencies, and stays there for the next time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const NAME = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** The path of the binary; installs it when it is not there. */
export function node22() {
  const home = join(root, 'tmp', `${NAME}-22`);
  const binary = (directory) => join(directory, 'node_modules', NAME, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary(home))) return binary(home);
  mkdirSync(join(root, 'tmp'), { recursive: true });
  const fresh = mkdtempSync(`${home}-`);
  try {
    writeFileSync(join(fresh, 'package.json'), '{"private":true}');
    const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `${NAME}@22`], { cwd: fresh, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } });
    if (status !== 0 || !existsSync(binary(fresh))) throw new Error(`${NAME}@22 did not install`);
    // Moved in whole, so that an install that was interrupted is not taken for a Node.
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return binary(home);
}
