import type { Era } from './echo-tool.ts';

export const UPSTREAMS = ['http', 'stdio'] as const;
export const ERAS = ['legacy', 'modern'] as const;
export type UpstreamKind = (typeof UPSTREAMS)[number];

/** What a call is like: its payload in bytes, how long its tool takes, what it runs on, what the client speaks. */
export interface Combination {
  readonly payload: number;
  readonly delayMs: number;
  readonly upstream: UpstreamKind;
  /** The upstream speaks what the client speaks: then the same calls can be made directly. */
  readonly era: Era;
}

/** The calls that targets are set for: small, at once, over HTTP. */
export const QUICK: Combination = { payload: 20, delayMs: 0, upstream: 'http', era: 'legacy' };

const MAX_PAYLOAD = 3_000_000;
const MAX_DELAY_MS = 10_000;
const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000 };

/** `20`, `10k`, `1m`: decimal, as in 10 KB. */
export function payloadOf(text: string): number {
  const [, digits, unit] = /^(\d{1,7})([km]?)$/.exec(text.toLowerCase()) ?? [];
  const bytes = digits === undefined ? 0 : Number(digits) * SIZES[unit!]!;
  if (!(bytes >= 20 && bytes <= MAX_PAYLOAD)) throw new Error(`a payload is 20 to ${MAX_PAYLOAD} bytes, e.g. 20,10k,1m`);
  return bytes;
}

export function delayOf(text: string): number {
  const ms = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (ms < 0 || ms > MAX_DELAY_MS) throw new Error(`a delay is 0 to ${MAX_DELAY_MS} ms`);
  return ms;
}

/** Each of a list that names some of `known`, once. */
export function listOf<T>(text: string, read: (item: string) => T): T[] {
  return [...new Set(text.split(',').map((item) => read(item.trim())))];
}

export function oneOf<T extends string>(known: readonly T[]): (item: string) => T {
  return (item) => {
    const found = known.find((each) => each === item);
    if (found === undefined) throw new Error(`not one of ${known.join(', ')}: ${item}`);
    return found;
  };
}

export interface Lists {
  readonly payloads: readonly number[];
  readonly delays: readonly number[];
  readonly upstreams: readonly UpstreamKind[];
  readonly eras: readonly Era[];
}

/** Every combination once, those on the same upstream beside each other. */
export function combinations({ payloads, delays, upstreams, eras }: Lists): Combination[] {
  return upstreams.flatMap((upstream) => eras.flatMap((era) => delays.flatMap((delayMs) => payloads.map((payload) => ({ payload, delayMs, upstream, era })))));
}

/** The upstream server that a combination runs on, by its id in the configuration of Holdfast. */
export function serverOf({ upstream, era }: Pick<Combination, 'upstream' | 'era'>): string {
  return ['echo', ...(upstream === 'http' ? [] : [upstream]), ...(era === 'legacy' ? [] : [era])].join('-');
}

export function nameOf({ payload, delayMs, upstream, era }: Combination): string {
  const size = payload >= 1_000_000 ? `${payload / 1_000_000} MB` : payload >= 1_000 ? `${payload / 1_000} KB` : `${payload} B`;
  return `${size}, ${delayMs} ms, ${upstream} upstream, ${era} client`;
}

