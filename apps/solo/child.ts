import { type ChildProcess, spawn } from 'node:child_process';
import type { Log } from '#libs/platform';

export interface ChildOptions {
  readonly name: string;
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

const RESTART_FIRST_MS = 200;
const RESTART_MAX_MS = 5_000;
/** A child that lived this long was not in a crash loop. */
const SETTLED_MS = 30_000;

/**
 * A process beside this one. It is started again when it dies, ever more slowly; it ends itself when its standard input closes, so
 * it does not outlive a killed parent.
 */
export class Child {
  private process: ChildProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private restartMs = RESTART_FIRST_MS;
  private stopping = false;
  private spoke: (() => void) | undefined;

  constructor(private readonly options: ChildOptions) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** In a process group of its own: a Ctrl-C at the terminal is for the parent, which ends its children in order. */
  start(): void {
    const startedAt = Date.now();
    const child = spawn(process.execPath, [...process.execArgv, this.options.main, '--until-stdin-closes'], { env: this.options.env, stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.process = child;
    child.stdin!.on('error', () => undefined);
    child.stdout!.once('data', () => this.spoke?.()).resume();
    child.once('error', (error) => this.options.log.error({ err: error, child: this.options.name }, 'child process did not start'));
    child.once('exit', (code, signal) => {
      this.process = undefined;
      if (this.stopping) return;
      if (Date.now() - startedAt > SETTLED_MS) this.restartMs = RESTART_FIRST_MS;
      this.options.log.error({ child: this.options.name, code, signal, restartMs: this.restartMs }, 'child process ended; starting it again');
      this.timer = setTimeout(() => this.start(), this.restartMs);
      this.restartMs = Math.min(this.restartMs * 2, RESTART_MAX_MS);
    });
  }

  /** Starts it and waits until it says its first word on standard output, but no longer than this. */
  async startAndWait(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.spoke = resolve;
      timer = setTimeout(resolve, deadlineMs);
      this.start();
    });
    clearTimeout(timer);
  }

  /** Asks it to finish, waits, and ends it when it does not. */
  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const child = this.process;
    if (!child) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.stdin!.end();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    await exited;
    clearTimeout(timer);
  }
}
