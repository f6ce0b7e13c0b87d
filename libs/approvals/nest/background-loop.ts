import type { Log } from '#libs/platform';

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly log: Log;
  /** One round; an error is logged and the next round tries again. */
  readonly round: () => Promise<unknown>;
}

/** Runs a round again and again, never two at once. `nudge` starts the next one at once; `stop` waits for the one under way. */
export class BackgroundLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private failing = false;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    this.nudge();
  }

  nudge(): void {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.running = this.run().finally(() => {
      this.running = undefined;
      if (this.stopped) return;
      if (this.again) {
        this.again = false;
        this.nudge();
      } else {
        this.timer = setTimeout(() => this.nudge(), this.options.everyMs);
      }
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.options.round();
      if (this.failing) this.options.log.info({ loop: this.options.name }, 'works again');
      this.failing = false;
    } catch (error) {
      // Said once per outage, not once per round.
      if (!this.failing) this.options.log.error({ err: error, loop: this.options.name }, 'failed; tries again');
      this.failing = true;
    }
  }
}
