import { type FollowOptions, type Journal, type JournalBatch, type JournalEntry, JournalRefusal } from '#libs/ports';

/** Where the next append goes wrong: nothing written, or written but not acknowledged. */
export type AppendFailure = 'before persist' | 'after persist';

/** {@link Journal} in memory with failures on demand. For tests only: durable means "until this object is dropped". */
export class MemoryJournal implements Journal {
  readonly records: JournalEntry[] = [];
  private readonly lastOf = new Map<string, { number: number; position: bigint }>();
  private readonly failures: AppendFailure[] = [];
  private gate: Promise<void> | undefined;
  private open: (() => void) | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly now: () => number = () => 0,
    private readonly source = 'memory',
  ) {}

  /** The next appends fail this way, one each. */
  failNext(...failures: AppendFailure[]): void {
    this.failures.push(...failures);
  }

  /** Appends wait (not yet written) until {@link resume}. */
  pause(): void {
    this.gate ??= new Promise((resolve) => (this.open = resolve));
  }

  resume(): void {
    this.open?.();
    this.gate = undefined;
  }

  async append(batch: JournalBatch): Promise<bigint> {
    await this.gate;
    if (batch.records.length === 0) throw new JournalRefusal('malformed', 'malformed batch');
    const failure = this.failures.shift();
    if (failure === 'before persist') throw new Error('journal connection lost');
    const position = this.store(batch);
    if (failure === 'after persist') throw new Error('journal connection lost');
    return position;
  }

  private store(batch: JournalBatch): bigint {
    const last = this.lastOf.get(batch.producer);
    if (last && batch.number === last.number) return last.position;
    if (last && batch.number < last.number) throw new JournalRefusal('stale', 'batch is older than the last one of its producer');
    for (const record of batch.records) {
      this.records.push({ tenant: record.tenant, event: record.event.slice(), sealed: record.sealed?.slice() ?? null, position: BigInt(this.records.length), at: this.now() });
    }
    const position = BigInt(this.records.length - 1);
    this.lastOf.set(batch.producer, { number: batch.number, position });
    for (const listener of this.listeners) listener();
    return position;
  }

  sources(): Promise<readonly string[]> {
    return Promise.resolve([this.source]);
  }

  end(source: string): Promise<bigint> {
    this.expect(source);
    return Promise.resolve(BigInt(this.records.length));
  }

  async follow(options: FollowOptions, onBatch: (records: readonly JournalEntry[]) => Promise<void>): Promise<void> {
    this.expect(options.source);
    if (options.next > BigInt(this.records.length)) throw new JournalRefusal('replaced', 'the cursor lies beyond the end');
    let next = Number(options.next);
    while (!options.signal.aborted) {
      const entries: JournalEntry[] = [];
      for (let bytes = 0; next + entries.length < this.records.length && entries.length < options.maxRecords; ) {
        const entry = this.records[next + entries.length]!;
        if (entries.length > 0 && bytes >= options.maxBytes) break;
        bytes += entry.event.length + (entry.sealed?.length ?? 0);
        entries.push(entry);
      }
      if (entries.length === 0) {
        await this.more(options.signal);
        continue;
      }
      await onBatch(entries);
      next += entries.length;
    }
  }

  private more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.listeners.add(done);
      signal.addEventListener('abort', done);
    });
  }

  private expect(source: string): void {
    if (source !== this.source) throw new JournalRefusal('replaced', `there is no source ${source} here`);
  }
}
