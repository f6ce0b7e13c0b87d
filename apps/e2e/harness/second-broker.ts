import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from './holdfast.ts';

const BROKER = join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'broker', 'main.js');

/** A broker process beside the one of an installation. */
export class SecondBroker {
  url = '';
  private process: ChildProcess | undefined;
  private ended: Promise<{ code: number | null; stderr: string }> | undefined;

  async start(installation: Installation): Promise<this> {
    const child = spawn(process.execPath, [BROKER], {
      env: { PATH: process.env['PATH'] ?? '', HOLDFAST_DATA: installation.data, HOLDFAST_PORT: '0', LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-64_000)));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
    while (!stdout.includes('\n')) {
      const ended = await Promise.race([this.ended, sleep(20)]);
      if (ended) throw new Error(`the second broker ended with ${ended.code}: ${ended.stderr}`);
    }
    this.url = (JSON.parse(stdout) as { url: string }).url;
    return this;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; stderr: string }> {
    this.process?.kill(signal);
    return this.ended!;
  }

  async close(): Promise<void> {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.stop('SIGKILL');
  }
}

/** Sends each request to the next of its targets, whatever session it belongs to; streams both ways. */
export class RoundRobin {
  readonly counts = new Map<string, number>();
  private server: Server | undefined;
  private next = 0;

  constructor(public targets: readonly string[]) {}

  get url(): string {
    return `http://127.0.0.1:${(this.server!.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      const target = this.targets[this.next++ % this.targets.length]!;
      this.counts.set(target, (this.counts.get(target) ?? 0) + 1);
      const onward = send(`${target}${request.url}`, { method: request.method!, headers: request.headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }
}
