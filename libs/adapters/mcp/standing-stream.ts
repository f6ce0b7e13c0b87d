import { exchange, type Exchange, type Exchanging } from './exchange.ts';
import type { HttpEndpoint } from './http-endpoint.ts';

export interface StandingStreamEvents {
  readonly message: (text: string) => void;
  /** The server does not open the stream (again); `opened` tells whether it ever did. The stream is over. */
  readonly refused: (status: number, opened: boolean) => void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const SHORTEST_WAIT_MS = 100;
/** A stream that lasted this long was a good one. */
const GOOD_MS = 5_000;
const MAX_MESSAGE_BYTES = 4 << 20;

/** The stream on which a server of the legacy era says what belongs to no request. It is opened again, with pauses, as long as it is wanted. */
export class StandingStream {
  private exchanging: Exchanging | undefined;
  private stopped = false;
  private wake: (() => void) | undefined;
  private lastEventId: string | undefined;
  private retryMs: number | undefined;
  private opened = false;

  constructor(
    private readonly endpoint: HttpEndpoint,
    private readonly headers: readonly string[],
    private readonly events: StandingStreamEvents,
  ) {}

  start(): void {
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.exchanging?.giveUp('stopped');
    this.wake?.();
  }

  private async run(): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!this.stopped) {
      const startedMs = performance.now();
      const ended = await this.once();
      if (this.stopped) return;
      if (ended.kind === 'answered' && ended.status !== 429 && ended.status < 500) return this.events.refused(ended.status, this.opened);
      wait = performance.now() - startedMs > GOOD_MS ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, wait * 2);
      await this.sleep(Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, this.retryMs ?? wait)));
    }
  }

  private async once(): Promise<Exchange> {
    let secret: readonly string[];
    try {
      secret = await this.endpoint.secret();
    } catch {
      return { kind: 'not_sent', error: 'credentials' };
    }
    const last = this.lastEventId;
    const exchanging = exchange(this.endpoint.streams, {
      method: 'GET',
      path: this.endpoint.path,
      headers: ['accept', 'text/event-stream', ...this.headers, ...secret, ...(last === undefined ? [] : ['last-event-id', last])],
      maxBytes: MAX_MESSAGE_BYTES,
      onStart: (_, stream) => {
        this.opened ||= stream;
      },
      onMessage: (text) => {
        if (!this.stopped) this.events.message(text);
        return undefined;
      },
    });
    this.exchanging = exchanging;
    const ended = await exchanging.done;
    if (ended.kind === 'lost' && ended.from) {
      this.lastEventId = ended.from.lastEventId ?? last;
      this.retryMs = ended.from.retryMs ?? this.retryMs;
    }
    return ended;
  }

  private async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
