import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = 'mcp==2.3.0';
const home = join(import.meta.dirname, '..', '..', '..', 'tmp', 'python-mcp');
const executable = join(home, 'bin', 'python');
const INSTALL_MS = 120_000;

/** The official Python SDK in an environment of its own, installed the first time; or the reason why this machine cannot have it. */
export function officialPython(): { readonly python: string } | { readonly missing: string } {
  const stamp = join(home, `.installed-${PACKAGE}`);
  if (existsSync(stamp)) return { python: executable };
  const step = (what: string, command: string, ...args: string[]): string | undefined => {
    try {
      execFileSync(command, args, { stdio: 'pipe', timeout: INSTALL_MS });
      return undefined;
    } catch (error) {
      const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split('\n').at(-1);
      return `${what}${said ? `: ${said.slice(0, 300)}` : ''}`;
    }
  };
  mkdirSync(join(home, '..'), { recursive: true });
  const missing =
    step('there is no python3 of version 3.10 or newer', 'python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 10))') ??
    step('python3 has no venv', 'python3', '-m', 'venv', home) ??
    step(`${PACKAGE} cannot be installed`, executable, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE);
  if (missing !== undefined) return { missing };
  writeFileSync(stamp, '');
  return { python: executable };
}

/** Runs a script with JSON on its standard input and reads JSON from its output. */
export function runPython(python: string, script: string, input: unknown): Promise<unknown> {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(JSON.stringify(input));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(stdout));
      else reject(new Error(`python ended with ${code}: ${stderr.slice(-4_000)}`));
    });
  });
}
