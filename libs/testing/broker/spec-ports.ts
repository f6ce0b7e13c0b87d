import { createHash, randomUUID } from 'node:crypto';
import type { Clock, Ids } from '#libs/ports';

/** Real time and hashing, readable ids. */
export const specClock: Clock = { now: () => Date.now(), monotonicUs: () => performance.now() * 1_000 };
export const specIds: Ids = { uuid: () => randomUUID(), randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
export const specSha256 = (data: Uint8Array | string): Uint8Array => createHash('sha256').update(data).digest();
export const specDigest = (text: string): string => Buffer.from(specSha256(text)).toString('base64url');
