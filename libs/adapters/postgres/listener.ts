import pg from 'pg';

const RECONNECT_MS = 500;

/** LISTEN on one connection of its own, made again when it is lost. What is notified while it is away is not heard. */
export class Listener {
  private client: pg.Client | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private state: 'new' | 'open' | 'closed' = 'new';
  private readonly handlers = new Map<string, ((payload: string) => void)[]>();

  constructor(private readonly url: string) {}

  /** Hears a channel from now on, beside all others who do; the first one opens the connection. */
  on(channel: string, handler: (payload: string) => void): void {
    const known = this.handlers.get(channel);
    this.handlers.set(channel, [...(known ?? []), handler]);
    if (this.state === 'new') {
      this.state = 'open';
      this.connect();
    } else if (!known) this.listen(channel);
  }

  async close(): Promise<void> {
    this.state = 'closed';
    clearTimeout(this.reconnect);
    await this.client?.end().catch(() => undefined);
  }

  private connect(): void {
    if (this.state === 'closed') return;
    const client = new pg.Client({ connectionString: this.url, application_name: 'holdfast-wake', keepAlive: true });
    this.client = client;
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    client.on('notification', ({ channel, payload }) => this.handlers.get(channel)?.forEach((handler) => handler(payload ?? '')));
    client.connect().then(
      () => {
        for (const channel of this.handlers.keys()) this.listen(channel);
      },
      () => this.lost(client),
    );
  }

  /** Queued behind the connection where that is still being made. */
  private listen(channel: string): void {
    const { client } = this;
    if (client) client.query(`listen ${client.escapeIdentifier(channel)}`).catch(() => this.lost(client));
  }

  private lost(client: pg.Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    if (this.state === 'closed') return;
    this.reconnect = setTimeout(() => this.connect(), RECONNECT_MS);
    this.reconnect.unref();
  }
}
