import type { Clock } from '#libs/ports';
import type { Definition, ListKind, UpstreamDescription, UpstreamServer, Upstreams } from '../upstream/upstreams.ts';

/** What a server can be asked about itself: each of its lists, and what it says of itself. */
export type Topic = ListKind | 'description';

interface Entry<T> {
  known: T | undefined;
  /** When the server was last asked, whatever came of it; monotonic microseconds. */
  askedUs: number;
  asking: Promise<void> | undefined;
  /** The last question took long and came to nothing: nobody waits for the next one. */
  hangs: boolean;
  /** It changed while it was being asked: the answer may be the old one. */
  again: boolean;
}

/** What a server says of itself may be this old. */
export const DESCRIPTION_AGE_MS = 60_000;
const HANGS_US = 1_000_000;

/**
 * What each server says of itself and what it offers, as last heard. It owns the only cache of these: asked again when older than the
 * caller accepts, never by two callers at once; a server that fails keeps its last known answer, and one that hangs is asked without
 * anybody waiting.
 */
export class Directory {
  private readonly entries = new Map<string, Map<Topic, Entry<unknown>>>();

  constructor(
    private readonly upstreams: Pick<Upstreams, 'list' | 'describe'>,
    private readonly clock: Clock,
    private readonly onUnavailable: (server: UpstreamServer, error: unknown) => void,
  ) {}

  /** The list as last heard, the same array until it is heard again; undefined when the server never answered. */
  list(server: UpstreamServer, kind: ListKind): readonly Definition[] | undefined {
    return this.entries.get(server.key)?.get(kind)?.known as readonly Definition[] | undefined;
  }

  description(server: UpstreamServer): UpstreamDescription | undefined {
    return this.entries.get(server.key)?.get('description')?.known as UpstreamDescription | undefined;
  }

  /** Makes sure that the server was asked within the last `maxAgeMs`; never rejects. */
  async refresh(server: UpstreamServer, topic: Topic, maxAgeMs: number): Promise<void> {
    const entry = this.entry(server, topic);
    if (entry.asking) return entry.hangs ? undefined : entry.asking;
    if (this.clock.monotonicUs() - entry.askedUs <= maxAgeMs * 1_000) return;
    entry.asking = this.ask(server, topic, entry);
    return entry.hangs ? undefined : entry.asking;
  }

  /** The server says that it changed: whoever wants it next asks, however young the answer is. */
  outdated(server: UpstreamServer, topic: Topic): void {
    const entry = this.entries.get(server.key)?.get(topic);
    if (!entry) return;
    entry.askedUs = Number.NEGATIVE_INFINITY;
    entry.again = entry.asking !== undefined;
  }

  /** Forgets every server that is not among these. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.entries.keys()) if (!keys.has(key)) this.entries.delete(key);
  }

  private entry(server: UpstreamServer, topic: Topic): Entry<unknown> {
    let topics = this.entries.get(server.key);
    if (!topics) this.entries.set(server.key, (topics = new Map()));
    let entry = topics.get(topic);
    if (!entry) topics.set(topic, (entry = { known: undefined, askedUs: Number.NEGATIVE_INFINITY, asking: undefined, hangs: false, again: false }));
    return entry;
  }

  private async ask(server: UpstreamServer, topic: Topic, entry: Entry<unknown>): Promise<void> {
    const startedUs = this.clock.monotonicUs();
    let failed = false;
    try {
      entry.known = topic === 'description' ? await this.upstreams.describe(server) : await this.upstreams.list(server, topic);
    } catch (error) {
      failed = true;
      this.onUnavailable(server, error);
    }
    const endedUs = this.clock.monotonicUs();
    entry.hangs = failed && endedUs - startedUs > HANGS_US;
    entry.askedUs = entry.again ? Number.NEGATIVE_INFINITY : endedUs;
    entry.again = false;
    entry.asking = undefined;
  }
}
