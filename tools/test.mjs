// npm test: installs what is missing, builds, runs the unit, integration and embedded end-to-end specs. Arguments go to jest.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, installMissing, linkCommand, requireNode, root } from './prepare.mjs';

requireNode();
installMissing();
build();
linkCommand();
const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', process.env.NODE_OPTIONS ?? ''].join(' ').trim();
const jest = spawn(process.execPath, [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: options } });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
jest.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
