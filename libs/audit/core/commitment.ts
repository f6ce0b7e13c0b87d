import { sha256 } from './sha256.ts';

const DOMAIN = Buffer.from('holdfast-field-v1');

/**
 * What an event says of a sealed value: SHA-256 over a domain, a random salt of 16 bytes, the field's pointer with its length, and
 * the canonical text of the value. Without the salt nobody can tell even a boolean.
 */
export function commitment(salt: Uint8Array, path: string, canonicalValue: string): Uint8Array {
  const pathBytes = Buffer.from(path);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(pathBytes.length);
  return sha256(Buffer.concat([DOMAIN, salt, length, pathBytes, Buffer.from(canonicalValue)]));
}
