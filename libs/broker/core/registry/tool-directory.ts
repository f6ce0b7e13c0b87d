import type { Clock } from '#libs/ports';
import { isObject } from '../mcp/protocol.ts';
import type { Definition, ToolDefinition, UpstreamServer, Upstreams } from '../upstream/upstreams.ts';

interface Entry {
  definitions: readonly ToolDefinition[] | undefined;
  /** When the server was last asked, whatever came of it; monotonic microseconds. */
  askedUs: number;
  asking: Promise<void> | undefined;
  /** The last question took long and came to nothing: nobody waits for the next one. */
  hangs: boolean;
}

const HANGS_US = 1_000_000;

/**
 * What each server says its tools are, as last heard. It owns the only cache of tool lists: asked again when older than the caller
 * accepts, never by two callers at once; a server that fails keeps its last known list, and one that hangs is asked without anybody waiting.
 */
export class ToolDirectory {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly upstreams: Pick<Upstreams, 'list'>,
    private readonly clock: Clock,
    private readonly onUnavailable: (server: UpstreamServer, error: unknown) => void,
  ) {}

  /** The list as last heard; undefined when the server never answered. */
  known(server: UpstreamServer): readonly ToolDefinition[] | undefined {
    return this.entries.get(server.key)?.definitions;
  }

  /** Makes sure that the server was asked within the last `maxAgeMs`; never rejects. */
  async refresh(server: UpstreamServer, maxAgeMs: number): Promise<void> {
    let entry = this.entries.get(server.key);
    if (!entry)
      this.entries.set(
        server.key,
        (entry = { definitions: undefined, askedUs: Number.NEGATIVE_INFINITY, asking: undefined, hangs: false }),
      );
    if (entry.asking) return entry.hangs ? undefined : entry.asking;
    if (this.clock.monotonicUs() - entry.askedUs <= maxAgeMs * 1_000) return;
    entry.asking = this.ask(server, entry);
    return entry.hangs ? undefined : entry.asking;
  }

  /** Forgets every server that is not among these. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.entries.keys()) if (!keys.has(key)) this.entries.delete(key);
  }

  private async ask(server: UpstreamServer, entry: Entry): Promise<void> {
    const startedUs = this.clock.monotonicUs();
    let failed = false;
    try {
      entry.definitions = (await this.upstreams.list(server, 'tools')).filter(isToolDefinition);
    } catch (error) {
      failed = true;
      this.onUnavailable(server, error);
    }
    entry.askedUs = this.clock.monotonicUs();
    entry.hangs = failed && entry.askedUs - startedUs > HANGS_US;
    entry.asking = undefined;
  }
}

function isToolDefinition(entry: Definition): entry is ToolDefinition {
  const name = entry['name'];
  return typeof name === 'string' && name.length <= 256 && isObject(entry['inputSchema']);
}
