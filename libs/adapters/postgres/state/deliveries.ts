import type { DataSource } from 'typeorm';
import type { Listener } from '../listener.ts';

const CHANNEL = 'holdfast_relayed';
/** A notification may be lost with its connection. */
const ASK_EVERY_MS = 250;

/** Which batches of the outbox are in the journal, for those who wait for one of them. Batches go in order. */
export class Deliveries {
  private highest = 0n;
  private readonly waiting = new Set<() => void>();
  private listening = false;

  constructor(
    private readonly database: DataSource,
    private readonly listener: Listener,
  ) {}

  async sent(number: bigint): Promise<void> {
    await this.database.query(`with marked as (update state.outbox set sent_at = now() where number = $1) select pg_notify('${CHANNEL}', $1::bigint::text)`, [number.toString()]);
    this.reached(number);
  }

  async until(number: bigint, timeoutMs: number): Promise<boolean> {
    if (!this.listening) {
      this.listening = true;
      this.listener.on(CHANNEL, (payload) => this.reached(BigInt(payload)));
    }
    const until = performance.now() + timeoutMs;
    // The notification may have come before anybody listened, so the table is asked first and from time to time.
    for (let ask = true; number > this.highest; ) {
      if (ask && (await this.isSent(number))) this.reached(number);
      else if (performance.now() >= until) return false;
      else ask = await this.silent(Math.min(ASK_EVERY_MS, Math.max(1, until - performance.now())));
    }
    return true;
  }

  private async isSent(number: bigint): Promise<boolean> {
    const rows = (await this.database.query('select from state.outbox where number = $1 and sent_at is null', [number.toString()])) as unknown[];
    return rows.length === 0;
  }

  /** Waits for the next word; true when none came in time. */
  private silent(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const heard = (): void => {
        clearTimeout(timer);
        this.waiting.delete(heard);
        resolve(false);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(heard);
        resolve(true);
      }, ms);
      this.waiting.add(heard);
    });
  }

  private reached(number: bigint): void {
    if (number <= this.highest) return;
    this.highest = number;
    for (const heard of this.waiting) heard();
  }
}
