import { createHash, randomUUID } from 'node:crypto';
import type { Approvals, Clock, Ids } from '#libs/ports';

/** Real time and hashing, readable ids. */
export const specClock: Clock = { now: () => Date.now(), monotonicUs: () => performance.now() * 1_000 };
export const specIds: Ids = { uuid: () => randomUUID(), randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
export const specSha256 = (data: Uint8Array | string): Uint8Array => createHash('sha256').update(data).digest();
export const specDigest = (text: string): string => Buffer.from(specSha256(text)).toString('base64url');

/** Where no call is held. */
export const nobodyApproves: Approvals = {
  hold: () => Promise.resolve({ kind: 'refused', code: 'approval_unavailable' }),
  find: () => Promise.resolve(null),
  request: () => Promise.resolve(null),
  claim: () => Promise.resolve({ ok: false, code: 'approval_not_found' }),
  settle: () => Promise.resolve(),
  answer: () => Promise.resolve(null),
  withdraw: () => Promise.resolve('approval_not_found'),
  releasable: () => Promise.resolve([]),
  changes: () => undefined,
};
