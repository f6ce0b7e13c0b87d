import { createCipheriv, createDecipheriv } from 'node:crypto';

const NONCE = 12;
const TAG = 16;

/** AES-256-GCM as one buffer: nonce, ciphertext, tag. `context` is authenticated, so a box does not open in another place. */
export function encrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, context: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the box was changed, cut, or made for another key or context. */
export function decrypt(key: Uint8Array, box: Uint8Array, context: string): Buffer {
  if (box.length < NONCE + TAG) throw new RangeError('sealed box is cut short');
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(box.subarray(box.length - TAG));
  return Buffer.concat([decipher.update(box.subarray(NONCE, box.length - TAG)), decipher.final()]);
}
