import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Peers } from '#libs/ports';
import { Listener } from '../listener.ts';

const CHANNEL = 'holdfast_peers';
/** A notification holds less than 8,000 bytes; this leaves room for what stands in front. */
const PART_CHARS = 7_000;
/** As large as the body of a request, in the longer form in which it travels. */
const MAX_PARTS = 1_200;
const MAX_WAITING = 200;
const MAX_WAITING_CHARS = 32 << 20;
/** Words of which parts have come and others not; those that began longest ago are given up. */
const MAX_OPEN = 64;

export interface PostgresPeersOptions {
  readonly pool: pg.Pool;
  /** Connection string for listening. */
  readonly url: string;
  /** Words lie in files of the database server for a moment, so they travel closed. The sealed form is plain ASCII. */
  readonly sealer: { seal(text: string): string; open(sealed: string): string | null };
  /** Whether there is anybody to tell; asked before each word. */
  readonly alone: () => boolean;
  readonly onError: (error: unknown) => void;
}

interface Arriving {
  readonly parts: (string | undefined)[];
  missing: number;
}

/** {@link Peers} by NOTIFY on the operational database. */
export class PostgresPeers implements Peers {
  /** Marks what this process told, and the words of one process from those of another. */
  private readonly self = randomUUID();
  private readonly listener: Listener;
  private readonly arriving = new Map<string, Arriving>();
  private readonly waiting: string[] = [];
  private waitingChars = 0;
  private sending: Promise<void> | undefined;
  private told = 0;
  private onWord: ((word: string) => void) | undefined;

  constructor(private readonly options: PostgresPeersOptions) {
    this.listener = new Listener(options.url);
  }

  tell(word: string): void {
    if (this.options.alone() || this.waiting.length >= MAX_WAITING || this.waitingChars + word.length > MAX_WAITING_CHARS) return;
    this.waiting.push(word);
    this.waitingChars += word.length;
    this.sending ??= this.send().finally(() => {
      this.sending = undefined;
    });
  }

  hear(listener: (word: string) => void): void {
    this.onWord = listener;
    this.listener.on(CHANNEL, (payload) => this.notified(payload));
  }

  async close(): Promise<void> {
    this.waiting.length = 0;
    this.waitingChars = 0;
    await this.sending;
    await this.listener.close();
  }

  private async send(): Promise<void> {
    for (let word = this.waiting.shift(); word !== undefined; word = this.waiting.shift()) {
      this.waitingChars -= word.length;
      const sealed = this.options.sealer.seal(word);
      const count = Math.ceil(sealed.length / PART_CHARS);
      if (count > MAX_PARTS) continue;
      const name = `${this.self} ${++this.told}`;
      const payloads = Array.from({ length: count }, (_, i) => `${name} ${i} ${count} ${sealed.slice(i * PART_CHARS, (i + 1) * PART_CHARS)}`);
      try {
        await this.options.pool.query({ name: 'peers-tell', text: `select pg_notify('${CHANNEL}', part) from unnest($1::text[]) part`, values: [payloads] });
      } catch (error) {
        this.options.onError(error);
      }
    }
  }

  private notified(payload: string): void {
    const [teller, number, index, count, part] = payload.split(' ', 5);
    if (teller === undefined || teller === this.self || part === undefined) return;
    const total = Number(count);
    const at = Number(index);
    if (!Number.isInteger(total) || !Number.isInteger(at) || total < 1 || total > MAX_PARTS || at < 0 || at >= total) return;
    const sealed = this.whole(`${teller} ${number}`, at, total, part);
    const word = sealed === undefined ? null : this.options.sealer.open(sealed);
    if (word !== null) this.onWord?.(word);
  }

  /** The word when this was the last part of it that was missing. */
  private whole(name: string, at: number, total: number, part: string): string | undefined {
    if (total === 1) return part;
    let word = this.arriving.get(name);
    if (!word) {
      const [oldest] = this.arriving.keys();
      if (this.arriving.size >= MAX_OPEN && oldest !== undefined) this.arriving.delete(oldest);
      this.arriving.set(name, (word = { parts: Array.from({ length: total }, () => undefined), missing: total }));
    }
    if (word.parts.length !== total || word.parts[at] !== undefined) return undefined;
    word.parts[at] = part;
    if (--word.missing > 0) return undefined;
    this.arriving.delete(name);
    return word.parts.join('');
  }
}
