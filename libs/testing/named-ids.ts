import { base64url, sha256 } from '#libs/audit/core';

/** A UUID (version 8) that is the same for the same name. */
export function uuidOf(name: string): string {
  const hex = Buffer.from(sha256(name)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const digestOf = (text: string): string => base64url(sha256(text));
