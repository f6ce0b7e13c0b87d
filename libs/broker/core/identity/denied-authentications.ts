import { type EventDraft, SYSTEM_TENANT } from '#libs/contracts';

/** One failed authentication. `key` only when the credential is a known one. */
export interface DeniedAuthentication {
  readonly code: string;
  /** An MCP path, or `api`. */
  readonly endpoint: string;
  readonly ip: string | undefined;
  readonly key: string | undefined;
}

interface Tally {
  readonly first: DeniedAuthentication;
  /** Failures that no event has told of yet. */
  count: number;
  /** When the last event about it was made. */
  toldMs: number;
}

const WINDOW_MS = 10_000;
const MAX_TALLIES = 1_000;
const ELSEWHERE = '';

/**
 * Turns failed authentications into events without letting a flood of them fill the log: the first of a kind (code and address) is
 * told at once, the following ones are counted and told together every ten seconds. Beyond a thousand kinds at once, addresses are
 * counted together. No failure is ever left out of a count.
 */
export class DeniedAuthentications {
  private readonly tallies = new Map<string, Tally>();

  /** The event to record now, if this failure is the first of its kind. */
  note(denied: DeniedAuthentication, nowMs: number, corr: string): EventDraft | undefined {
    const full = this.tallies.size >= MAX_TALLIES;
    const key = `${denied.code} ${denied.ip ?? ELSEWHERE}`;
    const known = this.tallies.get(key) ?? (full ? this.tallies.get(`${denied.code} ${ELSEWHERE}`) : undefined);
    if (known) {
      known.count++;
      return undefined;
    }
    const first = full ? { ...denied, ip: undefined, key: undefined } : denied;
    this.tallies.set(full ? `${denied.code} ${ELSEWHERE}` : key, { first, count: 0, toldMs: nowMs });
    return draft(first, 1, corr);
  }

  /** The summaries that are due. Call it every second or so; `final` tells of everything, for a process that stops. */
  due(nowMs: number, corr: () => string, final = false): EventDraft[] {
    const drafts: EventDraft[] = [];
    for (const [key, tally] of this.tallies) {
      // A clock that was set back must not silence anybody.
      if (!final && nowMs >= tally.toldMs && nowMs - tally.toldMs < WINDOW_MS) continue;
      if (tally.count === 0) {
        this.tallies.delete(key);
        continue;
      }
      drafts.push(draft(tally.first, tally.count, corr()));
      tally.count = 0;
      tally.toldMs = nowMs;
    }
    return drafts;
  }

  /** An event could not be recorded: its failures are counted again, so that a later one tells of them. */
  untold(event: EventDraft): void {
    if (event.type !== 'auth.denied') return;
    const key = `${event.data.code} ${event.actor.ip ?? ELSEWHERE}`;
    const tally = this.tallies.get(key);
    if (tally) tally.count += event.data.count;
    else if (this.tallies.size <= MAX_TALLIES + 100) {
      const { code, endpoint, key: id } = event.data;
      this.tallies.set(key, { first: { code, endpoint, ip: event.actor.ip, key: id }, count: event.data.count, toldMs: 0 });
    }
  }
}

function draft({ code, endpoint, ip, key }: DeniedAuthentication, count: number, corr: string): EventDraft {
  return {
    type: 'auth.denied',
    tenant: SYSTEM_TENANT,
    actor: { via: endpoint === 'api' ? 'api' : 'mcp', ...(ip === undefined ? {} : { ip }) },
    corr,
    links: {},
    data: { code, endpoint, ...(key === undefined ? {} : { key }), count },
  };
}
