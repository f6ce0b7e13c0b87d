import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobProcess } from '../../../testing/contract-suites/jobs.contract.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

/** Starts job-process.ts from the sources. */
export function startJobProcess(kind: 'postgres' | 'redis', url: string): (does: 'hold' | 'add', queue: string, id: string) => JobProcess {
  return (does, queue, id) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions', 'source', join(import.meta.dirname, 'job-process.ts'), kind, url, does, queue, id], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
    });
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const said: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
    return { said, gone, freeze: () => void child.kill('SIGSTOP'), thaw: () => void child.kill('SIGCONT'), kill: async () => (child.kill('SIGKILL'), await gone) };
  };
}
