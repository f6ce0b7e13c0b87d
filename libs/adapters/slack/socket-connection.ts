import { setTimeout as delay } from 'node:timers/promises';
import { SocketModeClient } from '@slack/socket-mode';
import type { InletAnswer } from '#libs/approvals/core';
import { type BrokenChannel, judge } from './failures.ts';
import { type SlackHttp, silentLogger } from './slack-http.ts';

export interface SocketConnectionOptions {
  readonly tenant: string;
  readonly appToken: string;
  readonly apiUrl: string | undefined;
  readonly http: SlackHttp;
  /** Answers what Slack tells; a rejection leaves it without an answer, which Slack shows as an error. */
  readonly answer: (kind: 'interaction' | 'command', payload: unknown) => Promise<InletAnswer>;
  readonly onBroken: (broken: BrokenChannel) => void;
  readonly onFault: (error: unknown) => void;
}

interface SocketEvent {
  readonly type: string;
  readonly body: unknown;
  readonly ack: (answer?: Readonly<Record<string, unknown>>) => Promise<void>;
}

const HELLO_MS = 30_000;
const CLOSE_MS = 2_000;
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 60_000;
/** What only somebody's hand can mend is tried again this seldom. */
const BROKEN_RETRY_MS = 300_000;
const KINDS: Readonly<Record<string, 'interaction' | 'command'>> = { interactive: 'interaction', slash_commands: 'command' };

/**
 * A connection of Socket Mode that is kept up. The official client speaks; when to connect again is decided here, because its own way of
 * doing so loses errors, and a lost error ends the process.
 */
export class SocketConnection {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private client: SocketModeClient | undefined;

  constructor(private readonly options: SocketConnectionOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.disconnect();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const client = this.connect();
      const over = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
      try {
        await Promise.race([within(client.start(), HELLO_MS), stopped]);
        retryMs = FIRST_RETRY_MS;
        await Promise.race([over, stopped]);
      } catch (error) {
        retryMs = signal.aborted ? retryMs : this.failed(error, retryMs);
      }
      await this.disconnect();
      await delay(retryMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  private failed(error: unknown, retryMs: number): number {
    const judged = judge(error);
    if (judged.broken) {
      this.options.onBroken({ tenant: this.options.tenant, room: null, problem: judged.broken.problem });
      return BROKEN_RETRY_MS;
    }
    return Math.min(retryMs * 2, MOST_RETRY_MS);
  }

  private connect(): SocketModeClient {
    const { appToken, apiUrl, http } = this.options;
    const client = new SocketModeClient({ appToken, logger: silentLogger, autoReconnectEnabled: false, clientOptions: http.options(apiUrl) });
    client.on('slack_event', (event: SocketEvent) => {
      void this.answer(event).catch((error: unknown) => this.options.onFault(error));
    });
    // It may have been on its way when it was not wanted any more.
    client.on('connected', () => {
      if (this.client !== client) void client.disconnect();
    });
    this.client = client;
    return client;
  }

  private async answer({ type, body, ack }: SocketEvent): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const kind = KINDS[type];
    if (kind === undefined) return ack();
    await ack((await this.options.answer(kind, body)) ?? {});
  }

  private async disconnect(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client) await within(client.disconnect(), CLOSE_MS).catch(() => undefined);
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      work,
      delay(ms, undefined, { signal: ended.signal }).then((): never => {
        throw new Error('slack took too long');
      }),
    ]);
  } finally {
    ended.abort();
  }
}
