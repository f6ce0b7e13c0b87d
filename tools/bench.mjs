// npm run bench, npm run bench:approvals: installs what is missing, builds, measures the build. The first argument names a file of bench/,
// the others go to it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, installMissing, requireNode, root } from './prepare.mjs';

requireNode();
installMissing();
build();
const [what, ...options] = process.argv.slice(2);
const bench = spawn(process.execPath, [join(root, 'dist', 'bench', `${what}.js`), ...options], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } });
// The bench stops what it started before it ends; a signal to this process must not leave it behind.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
bench.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
