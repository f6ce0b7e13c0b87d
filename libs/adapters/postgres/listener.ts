import pg from 'pg';

const RECONNECT_MS = 500;

/** LISTEN on one connection of its own, made again when it is lost. What is notified while it is away is not heard. */
export class Listener {
  private client: pg.Client | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private state: 'new' | 'open' | 'closed' = 'new';

  constructor(
    private readonly url: string,
    private readonly channel: string,
    private readonly onNotification: (payload: string) => void,
  ) {}

  /** Begins to listen; a second time is nothing. */
  open(): void {
    if (this.state !== 'new') return;
    this.state = 'open';
    this.connect();
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
    const lost = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      if (this.state === 'closed') return;
      this.reconnect = setTimeout(() => this.connect(), RECONNECT_MS);
      this.reconnect.unref();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload }) => this.onNotification(payload ?? ''));
    client.connect().then(
      () => client.query(`listen ${client.escapeIdentifier(this.channel)}`).catch(lost),
      () => {
        lost();
      },
    );
  }
}
