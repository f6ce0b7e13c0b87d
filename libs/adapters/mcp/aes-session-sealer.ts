import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SessionSealer } from '#libs/broker/core';

const NONCE = 12;
const TAG = 16;
const CONTEXT = Buffer.from('holdfast-session-v1');

/** {@link SessionSealer} with AES-256-GCM: nonce, ciphertext and tag in base64url. All brokers of an installation share the key. */
export class AesSessionSealer implements SessionSealer {
  constructor(private readonly key: Uint8Array) {
    if (key.length !== 32) throw new RangeError('a session key has 32 bytes');
  }

  seal(text: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(CONTEXT);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  open(sealed: string): string | null {
    const box = Buffer.from(sealed, 'base64url');
    // Decoding forgives what it does not know; a session id has one spelling.
    if (box.length < NONCE + TAG || box.toString('base64url') !== sealed) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.key, box.subarray(0, NONCE)).setAAD(CONTEXT);
    decipher.setAuthTag(box.subarray(box.length - TAG));
    try {
      return decipher.update(box.subarray(NONCE, box.length - TAG), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return null;
    }
  }
}
