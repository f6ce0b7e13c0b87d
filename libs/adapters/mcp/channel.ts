import { LIST_PAGE_BYTES } from './lists.ts';

/** How a message left. `not_sent`: no byte of it; `lost`: nobody can tell; `rejected`: the server did not look at it. */
export type Sent =
  | { readonly kind: 'sent' }
  | { readonly kind: 'not_sent' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'rejected'; readonly status: number };

const ENVELOPE_BYTES = 64 * 1024;

/** The largest message that is kept: an answer to a call, or a page of a list. */
export function largestMessage(maxResultBytes: number): number {
  return Math.max(maxResultBytes, LIST_PAGE_BYTES) + ENVELOPE_BYTES;
}

export interface ChannelEvents {
  readonly message: (text: string) => void;
  /** A message could not be kept; `id` when it was the answer to this. */
  readonly tooLarge: (id: string | undefined) => void;
  /** Nothing comes or goes any more. Once; not before the channel was opened. */
  readonly closed: (why: string) => void;
}

/** Messages both ways with one server, for everybody: a child process, or the older HTTP transport. */
export interface Channel {
  /** Never rejects. */
  send(text: string): Sent | Promise<Sent>;
  close(): Promise<void>;
}

/** Throws `UpstreamUnavailable`. */
export type OpenChannel = (events: ChannelEvents) => Promise<Channel>;

/**
 * Whose answer a message is of which only both ends are known. Anchored at the ends of the object, where nothing that the message
 * quotes can stand.
 */
export function idOfCut(head: string, tail: string): string | undefined {
  const id = (ID_FIRST.exec(head) ?? ID_LAST.exec(tail))?.[1];
  return id === undefined ? undefined : (JSON.parse(id) as string);
}

const ID_FIRST = /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*("[^"\\]*")\s*,/;
const ID_LAST = /"id"\s*:\s*("[^"\\]*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;
