import { sha256 } from '../sha256.ts';

/** SHA-256 of nothing: the root of an empty log (RFC 6962). */
export const EMPTY_ROOT: Uint8Array = sha256('');

/** What the chain of an empty log starts from. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

const CHAIN_DOMAIN = new TextEncoder().encode('holdfast-chain-v1');

/** Leaf hash of an entry (RFC 6962): SHA-256(00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(entry.length + 1);
  input.set(entry, 1);
  return sha256(input);
}

/** Hash of an inner node (RFC 6962): SHA-256(01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(65);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 33);
  return sha256(input);
}

/** The hash chain beside the tree, for checks in SQL and for exports; derived from the leaves and never trusted alone. */
export function chainHash(previous: Uint8Array, leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(CHAIN_DOMAIN.length + 64);
  input.set(CHAIN_DOMAIN, 0);
  input.set(previous, CHAIN_DOMAIN.length);
  input.set(leaf, CHAIN_DOMAIN.length + 32);
  return sha256(input);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
