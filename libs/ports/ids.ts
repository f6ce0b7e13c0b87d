/** Identifiers and randomness, passed in so that cores stay pure. */
export interface Ids {
  /** A time-ordered UUID (version 7). */
  uuid(): string;
  randomBytes(length: number): Uint8Array;
}
export const Ids = Symbol('Ids');

/** SHA-256 of bytes, or of the UTF-8 form of a string. */
export type Sha256 = (data: Uint8Array | string) => Uint8Array;
