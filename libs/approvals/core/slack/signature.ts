/** HMAC-SHA-256 in lower-case hexadecimal. */
export type HmacHex = (secret: string, parts: readonly (string | Uint8Array)[]) => string;

export interface SignedRequest {
  /** The headers as they came. */
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  /** The body as it came, not parsed. */
  readonly body: Uint8Array;
}

/** How far the time of a request may be from ours, in the past and in the future. */
export const FRESH_S = 300;
/** Signatures remembered at most; the oldest is forgotten first. */
const REMEMBERED = 10_000;

/**
 * Checks requests that Slack signed (version v0), each signature once. What is remembered is of this process and bounded: the guard makes
 * replays harmless early, and what makes them harmless at all is that decisions are idempotent and about one version.
 */
export class SlackSignatures {
  private readonly seen = new Map<string, number>();

  constructor(private readonly hmac: HmacHex) {}

  /** The index of the secret that signed it; null when none did, it is not fresh, or it was here before. */
  check({ timestamp, signature, body }: SignedRequest, secrets: readonly string[], nowMs: number): number | null {
    if (timestamp === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return null;
    const now = Math.floor(nowMs / 1000);
    if (Math.abs(now - Number(timestamp)) > FRESH_S) return null;
    let signer: number | null = null;
    // All of them, always: how long it takes says nothing about which one it was.
    for (const [index, secret] of secrets.entries()) {
      if (sameText(`v0=${this.hmac(secret, [`v0:${timestamp}:`, body])}`, signature)) signer = index;
    }
    return signer !== null && this.isNew(signature, Number(timestamp), now) ? signer : null;
  }

  private isNew(signature: string, timestamp: number, now: number): boolean {
    if (this.seen.has(signature)) return false;
    if (this.seen.size >= REMEMBERED) this.forget(now);
    this.seen.set(signature, timestamp);
    return true;
  }

  private forget(now: number): void {
    for (const [signature, timestamp] of this.seen) if (now - timestamp > FRESH_S) this.seen.delete(signature);
    const [oldest] = this.seen.keys();
    if (this.seen.size >= REMEMBERED && oldest !== undefined) this.seen.delete(oldest);
  }
}

/** Compares in a time that depends on the length only. */
function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ (other.charCodeAt(at) || 0);
  return difference === 0;
}
