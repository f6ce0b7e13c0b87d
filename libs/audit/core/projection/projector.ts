import type { Journal, JournalEntry } from '#libs/ports';
import { type AuditStore, type ProjectedBatch, StoreUnavailable } from './audit-store.ts';
import { project } from './project.ts';
import { ProjectionMemory } from './projection-memory.ts';
import { readRecord } from './read-records.ts';

export interface ProjectorDependencies {
  readonly journal: Journal;
  readonly store: AuditStore;
  /** The journal source to follow; one projector runs per source. */
  readonly source: string;
  /** Waits; resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Whether an error of the journal may pass by itself; the store says so with {@link StoreUnavailable}. */
  readonly isPassing?: (error: unknown) => boolean;
  readonly onState?: (state: 'up' | 'down', cause?: unknown) => void;
  readonly onBatch?: (batch: ProjectedBatch) => void;
  readonly limits?: Partial<ProjectorLimits>;
}

export interface ProjectorLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** How long a batch that is not full may collect. */
  readonly lingerMs: number;
}

export const PROJECTOR_LIMITS: ProjectorLimits = { maxRecords: 500, maxBytes: 1 << 20, lingerMs: 100 };
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5_000;

/** The audit tables remember a journal that is not this one: it was replaced, or the tables were. Somebody has to look. */
export class JournalReplaced extends Error {
  constructor(source: string) {
    super(`the audit log was made from the journal ${source}, which is not here any more; following another one would hide what was lost`);
    this.name = 'JournalReplaced';
  }
}

/**
 * Follows one source of the journal into the audit tables, exactly once: the cursor moves in the transaction that writes the
 * batch. While a batch is being written the next one is read and computed; at most one write is under way.
 */
export class Projector {
  private next: bigint | undefined;

  constructor(private readonly deps: ProjectorDependencies) {}

  /** Journal position up to which everything is in the tables; undefined until the tables were first asked. */
  get position(): bigint | undefined {
    return this.next;
  }

  /** Records in the journal that are not in the tables yet. */
  async lag(): Promise<bigint> {
    const { journal, source, store } = this.deps;
    const next = this.next ?? (await store.cursors()).get(source) ?? 0n;
    return (await journal.end(source)) - next;
  }

  /**
   * Runs until the signal aborts, then returns with everything that was begun written. An unavailable store or journal is waited
   * for. Throws what waiting cannot mend: ProjectorSuperseded, JournalReplaced, JournalRefusal, StoredLogDamaged, faults.
   */
  async run(signal: AbortSignal): Promise<void> {
    let retryMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      const before = this.next;
      try {
        await this.follow(signal);
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) && this.deps.isPassing?.(error) !== true) throw error;
        this.deps.onState?.('down', error);
        if (this.next !== before) retryMs = RETRY_FIRST_MS;
        await this.deps.sleep(retryMs, signal);
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      }
    }
  }

  /** From what the tables say, with an empty memory: the first start and every recovery are this one path. */
  private async follow(signal: AbortSignal): Promise<void> {
    const { journal, store, source } = this.deps;
    const cursors = await store.cursors();
    const sources = await journal.sources();
    for (const known of cursors.keys()) if (!sources.includes(known)) throw new JournalReplaced(known);
    this.next = cursors.get(source) ?? 0n;
    this.deps.onState?.('up');
    const memory = new ProjectionMemory(store);
    const failed = new AbortController();
    const writer = new OneWrite(store, () => failed.abort());
    let from = this.next;
    const onBatch = async (records: readonly JournalEntry[]): Promise<void> => {
      const read = records.map(readRecord);
      const known = await memory.known(read, () => writer.idle());
      const batch = project(known, { source, from }, read);
      memory.remember(batch);
      from = batch.to;
      await writer.idle();
      writer.begin(batch, () => {
        this.next = batch.to;
        this.deps.onBatch?.(batch);
      });
    };
    try {
      await journal.follow({ source, next: from, ...PROJECTOR_LIMITS, ...this.deps.limits, signal: AbortSignal.any([signal, failed.signal]) }, onBatch);
    } finally {
      // A write under way ends before anybody looks at the tables again; its error is the one that counts.
      await writer.idle();
    }
  }
}

/** At most one append under way; its failure is thrown to whoever waits for it next. */
class OneWrite {
  private current: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: AuditStore,
    private readonly onFailure: () => void,
  ) {}

  begin(batch: ProjectedBatch, done: () => void): void {
    this.current = this.store.append(batch).then(done);
    // The error itself goes to whoever calls `idle` next; the signal makes sure that somebody does.
    this.current.catch(this.onFailure);
  }

  idle(): Promise<void> {
    return this.current;
  }
}

