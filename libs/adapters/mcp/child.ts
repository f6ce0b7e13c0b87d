import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { Lines, type LineEvents } from './lines.ts';

export interface ChildProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** All of it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

export interface ChildEvents extends LineEvents {
  readonly stderr: (line: string) => void;
  /** The process is gone, and everything that it wrote was handed over. Once. */
  readonly gone: (why: string) => void;
}

/**
 * The first thing in the new process group is a guard that waits for us on descriptor 3, which we never write to. When we are gone,
 * however suddenly, it reads the end of it and kills the group, itself included; then the program takes the place of the shell. The
 * guard is deaf to the signals that a program is asked to end with, so it outlives a program that does not listen to them.
 */
const GUARDED = `(trap '' HUP INT TERM; read -r _ <&3; kill -KILL 0) </dev/null >/dev/null 2>&1 & exec "$@" 3<&-`;
const GUARD = 3;
const EOF_MS = 1_500;
const TERM_MS = 1_500;
const KILL_MS = 2_000;
/** Output that is still on its way when a process ends. */
const LAST_OUTPUT_MS = 500;
const MAX_UNREAD_BYTES = 64 << 20;
const MAX_STDERR_LINE = 4_000;
const STDERR_LINES = 100;
const STDERR_EVERY_MS = 10_000;

/** A program that speaks in lines, in a process group of its own that never outlives us. */
export class Child {
  private readonly process: ChildProcess;
  private ended: Promise<void>;
  private isGone = false;
  private said = 0;
  private saidSinceMs = 0;

  /** Throws when there is nothing to start. `maxLine` bounds what it may say at once. */
  constructor(
    program: ChildProgram,
    maxLine: number,
    private readonly events: ChildEvents,
  ) {
    const options = { env: program.env, cwd: program.cwd, detached: true, windowsHide: true } as const;
    // Windows has no process groups; there only the program itself is ended.
    const child =
      process.platform === 'win32'
        ? spawn(program.command, program.args, { ...options, detached: false, stdio: ['pipe', 'pipe', 'pipe'] })
        : spawn('/bin/sh', ['-c', GUARDED, 'guard', program.command, ...program.args], { ...options, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    this.process = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const out = new Lines(maxLine, events);
    const err = new Lines(MAX_STDERR_LINE, { line: (line) => this.stderr(line), tooLong: (head) => this.stderr(`${head}…`) });
    stdoutOf(child).on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    for (const stream of child.stdio) stream?.on('error', () => undefined);
    stdinOf(child).on('error', () => this.kill('SIGKILL'));
    child.once('error', () => this.gone('cannot be started'));
    child.once('exit', (code, signal) => {
      // Whatever else the program started goes with it.
      this.letGo();
      const why = signal === null ? `ended with ${code}` : `ended by ${signal}`;
      const timer = setTimeout(() => this.gone(why), LAST_OUTPUT_MS);
      child.once('close', () => {
        clearTimeout(timer);
        this.gone(why);
      });
    });
  }

  /** False when the program is gone, or does not read what it was told. */
  write(line: string): boolean {
    const stdin = stdinOf(this.process);
    if (this.isGone || !stdin.writable || stdin.writableLength > MAX_UNREAD_BYTES) return false;
    stdin.write(`${line}\n`);
    return true;
  }

  /** Asks it to end, then insists; its whole group is gone afterwards. */
  async close(): Promise<void> {
    stdinOf(this.process).end();
    if (await this.endsWithin(EOF_MS)) return;
    this.kill('SIGTERM');
    if (await this.endsWithin(TERM_MS)) return;
    this.kill('SIGKILL');
    this.letGo();
    await this.endsWithin(KILL_MS);
  }

  private kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.process;
    if (pid === undefined || this.process.exitCode !== null || this.process.signalCode !== null) return;
    try {
      if (process.platform === 'win32') this.process.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It is gone already.
    }
  }

  /** The guard sees us go. */
  private letGo(): void {
    (this.process.stdio[GUARD] as Duplex | null | undefined)?.destroy();
  }

  private async endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, ms, false);
    });
    const ended = await Promise.race([this.ended.then(() => true), late]);
    clearTimeout(timer);
    return ended;
  }

  private gone(why: string): void {
    if (this.isGone) return;
    this.isGone = true;
    for (const stream of this.process.stdio) stream?.destroy();
    this.events.gone(why);
  }

  private stderr(line: string): void {
    const now = performance.now();
    if (now - this.saidSinceMs > STDERR_EVERY_MS) {
      if (this.said > STDERR_LINES) this.events.stderr(`(${this.said - STDERR_LINES} more lines)`);
      this.saidSinceMs = now;
      this.said = 0;
    }
    if (++this.said <= STDERR_LINES) this.events.stderr(line);
  }
}

function stdinOf(child: ChildProcess): Writable {
  return child.stdin!;
}

function stdoutOf(child: ChildProcess): Readable {
  return child.stdout!;
}
