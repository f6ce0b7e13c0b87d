import { Refusal } from '#libs/contracts';
import type { BrokerLeases, Clock, ConfigRevision, ConfigurationStore } from '#libs/ports';

export interface BrokerControlOptions {
  readonly instance: string;
  readonly leases: BrokerLeases;
  readonly configuration: ConfigurationStore;
  readonly clock: Clock;
  /** A revision came into force; throwing keeps the one before, and the broker refuses calls until a later one works. */
  readonly onRevision: (revision: ConfigRevision) => void;
  /** The lease is gone: this broker was declared lost, its open calls have been given up, and it must end. */
  readonly onLost: () => void;
  readonly onError: (error: unknown) => void;
}

/** How long a broker's word counts without renewal; after that others may give up its calls. */
export const LEASE_MS = 5_000;
/** How long a broker may go on without hearing that its state is the one in force. */
export const FRESH_MS = 2_000;
const RENEW_EVERY_MS = 500;

/**
 * Keeps a broker's lease and its view of the configuration fresh with one question to the database every half second. A broker that
 * has not had an answer for {@link FRESH_MS} refuses calls: it cannot know what is in force.
 */
export class BrokerControl {
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  private freshUntilUs = Number.NEGATIVE_INFINITY;
  private revision = 0;
  private lost = false;
  private brokers = 1;
  private stopped = false;

  constructor(private readonly options: BrokerControlOptions) {}

  /** Takes the lease and the first revision; throws when there is none or the database does not answer. */
  async start(): Promise<void> {
    await this.options.leases.start(this.options.instance, LEASE_MS);
    await this.renew();
    this.timer = setInterval(() => {
      this.renewing ??= this.renew()
        .catch((error: unknown) => this.options.onError(error))
        .finally(() => {
          this.renewing = undefined;
        });
    }, RENEW_EVERY_MS);
  }

  /** Throws `state_stale` unless policy and registry were confirmed a moment ago. */
  assertFresh(): void {
    if (!this.fresh) throw new Refusal('state_stale');
  }

  /** No other broker of this installation was alive a moment ago. */
  get alone(): boolean {
    return this.brokers <= 1;
  }

  get fresh(): boolean {
    return !this.lost && this.options.clock.monotonicUs() < this.freshUntilUs;
  }

  /** Gives the lease back: nothing of this broker is open. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.renewing;
    await this.options.leases.end(this.options.instance);
  }

  private async renew(): Promise<void> {
    // Counted from before the question: the answer may have been true only then.
    const askedUs = this.options.clock.monotonicUs();
    const { held, revision, brokers } = await this.options.leases.renew(this.options.instance, LEASE_MS);
    this.brokers = brokers;
    if (!held) {
      if (this.stopped) return;
      this.lost = true;
      clearInterval(this.timer);
      this.options.onLost();
      return;
    }
    if (revision !== this.revision) {
      const latest = await this.options.configuration.latest();
      if (!latest) throw new Refusal('config_invalid', 'no configuration is in force');
      this.options.onRevision(latest);
      this.revision = latest.revision;
    }
    this.freshUntilUs = askedUs + FRESH_MS * 1000;
  }
}
