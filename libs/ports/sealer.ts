import type { SealedField } from '#libs/contracts';

/** Seals values for one event: commitments for the event itself, encrypted fields to travel beside it. */
export interface Sealer {
  /**
   * `values` maps JSON pointers to values with a canonical form. The key belongs to (tenant, subject) and is made when first needed.
   * Resolves at once when the key is cached.
   */
  seal(tenant: string, subject: string, values: Readonly<Record<string, unknown>>): Promise<SealedValues>;

  /** Opens one field; null when its key was destroyed. Throws when the box was tampered with. */
  open(tenant: string, field: SealedField): Promise<OpenedValue | null>;
}
export const Sealer = Symbol('Sealer');

export interface SealedValues {
  /** base64url commitments by pointer. */
  readonly commitments: Readonly<Record<string, string>>;
  readonly fields: readonly SealedField[];
}

export interface OpenedValue {
  readonly salt: Uint8Array;
  /** RFC 8785 text of the value. */
  readonly canonical: string;
}
