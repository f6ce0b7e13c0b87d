import { hash } from 'node:crypto';

/** SHA-256 of bytes, or of the UTF-8 form of a string. The one place of this core that takes hashing from Node. */
export function sha256(data: Uint8Array | string): Uint8Array {
  // By way of a string: such a buffer comes from Node's pool and is half the price of one with memory of its own.
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}
