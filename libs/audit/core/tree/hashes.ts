import { MAX_EVENT_BYTES } from '#libs/contracts';
import { sha256 } from '../sha256.ts';

/** SHA-256 of nothing: the root of an empty log (RFC 6962). */
export const EMPTY_ROOT: Uint8Array = sha256('');

/** What the chain of an empty log starts from. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

const CHAIN_DOMAIN = new TextEncoder().encode('holdfast-chain-v1');

// Inputs are laid out in these and hashed at once, so nothing is kept in them; an allocation would cost more than the hash.
const leafInput = new Uint8Array(1 + MAX_EVENT_BYTES);
const nodeInput = new Uint8Array(1 + 64).fill(1, 0, 1);
const chainInput = new Uint8Array(CHAIN_DOMAIN.length + 64);
chainInput.set(CHAIN_DOMAIN);

/** Leaf hash of an entry (RFC 6962): SHA-256(00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = entry.length <= MAX_EVENT_BYTES ? leafInput.subarray(0, 1 + entry.length) : new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

/** Hash of an inner node (RFC 6962): SHA-256(01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/** The hash chain beside the tree, for checks in SQL and for exports; derived from the leaves and never trusted alone. */
export function chainHash(previous: Uint8Array, leaf: Uint8Array): Uint8Array {
  chainInput.set(previous, CHAIN_DOMAIN.length);
  chainInput.set(leaf, CHAIN_DOMAIN.length + 32);
  return sha256(chainInput);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
