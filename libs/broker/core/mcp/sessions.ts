import type { Principal } from '#libs/ports';
import { isObject, type JsonObject } from './protocol.ts';

/** Makes text that only this installation can read and make. */
export interface SessionSealer {
  seal(text: string): string;
  /** Null when the text was not made by `seal`, or was changed since. */
  open(sealed: string): string | null;
}
export const SessionSealer = Symbol('SessionSealer');

/** What a session is: all of it travels in the session id, so any broker serves any session. */
export interface Session {
  readonly id: string;
  readonly protocol: string;
  readonly claimedClient: string | undefined;
  /** What the client can be asked for, see `clientCapabilities`. */
  readonly capabilities: JsonObject;
}

/** A session ends at this age; the client opens another one. */
const MAX_AGE_MS = 24 * 3_600_000;
/** How many opened session ids are remembered, so that not every request has to open its own. */
const REMEMBERED = 10_000;
const MAX_ID_CHARS = 4_000;
/** Capabilities with more to say than this keep their names only. */
const MAX_CAPABILITIES_BYTES = 1_000;

interface Opened {
  readonly session: Session;
  readonly owner: string;
  readonly sinceMs: number;
}

/**
 * Sessions of the legacy era. A session belongs to one credential holder (tenant, user, client, agent), one endpoint and the servers that
 * the credential may reach; to anybody else its id is as unknown as a made-up one. An ended session is unknown to the broker where it ended.
 */
export class Sessions {
  private readonly opened = new Map<string, Opened>();
  private readonly ended = new Set<string>();

  constructor(
    private readonly sealer: SessionSealer,
    /** Of a text, short. */
    private readonly digest: (text: string) => string,
  ) {}

  open(session: Session, principal: Principal, endpoint: string, nowMs: number): string {
    const { capabilities } = session;
    const kept = Buffer.byteLength(JSON.stringify(capabilities)) <= MAX_CAPABILITIES_BYTES ? capabilities : bare(capabilities);
    return this.sealer.seal(JSON.stringify({ ...session, capabilities: kept, owner: this.ownerOf(principal, endpoint), sinceMs: nowMs }));
  }

  /** Undefined when there is no such session for this caller. */
  find(sealed: string, principal: Principal, endpoint: string, nowMs: number): Session | undefined {
    if (sealed.length > MAX_ID_CHARS) return undefined;
    let opened = this.opened.get(sealed);
    if (!opened) {
      const text = this.sealer.open(sealed);
      const read = text === null ? undefined : parse(text);
      if (!read) return undefined;
      forgetOldest(this.opened);
      this.opened.set(sealed, (opened = read));
    }
    const age = nowMs - opened.sinceMs;
    const stands = opened.owner === this.ownerOf(principal, endpoint) && age < MAX_AGE_MS && !this.ended.has(opened.session.id);
    return stands ? opened.session : undefined;
  }

  end(session: Pick<Session, 'id'>): void {
    forgetOldest(this.ended);
    this.ended.add(session.id);
  }

  private ownerOf({ tenant, user, client, agent, servers }: Principal, endpoint: string): string {
    return JSON.stringify([tenant, user, client, agent ?? null, endpoint, servers === undefined ? null : this.digest(JSON.stringify(servers))]);
  }
}

function parse(text: string): Opened | undefined {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return undefined;
  const { id, protocol, claimedClient, capabilities, owner, sinceMs } = value;
  if (typeof id !== 'string' || typeof protocol !== 'string' || typeof owner !== 'string' || typeof sinceMs !== 'number') return undefined;
  const client = typeof claimedClient === 'string' ? claimedClient : undefined;
  return { session: { id, protocol, claimedClient: client, capabilities: isObject(capabilities) ? capabilities : {} }, owner, sinceMs };
}

function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size < REMEMBERED) return;
  const oldest = kept.keys().next().value;
  if (oldest !== undefined) kept.delete(oldest);
}

function bare(capabilities: JsonObject): JsonObject {
  return Object.fromEntries(['elicitation', 'sampling', 'roots'].filter((name) => Object.hasOwn(capabilities, name)).map((name) => [name, {}]));
}
