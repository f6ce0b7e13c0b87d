/** A wrapped key as stored: only the key above it in the hierarchy opens it. */
export interface WrappedKey {
  readonly id: string;
  readonly wrapped: Uint8Array;
}

/** Where wrapped keys live. Two processes that make the same key at once agree: the first one stored wins and both get it back. */
export interface KeyStore {
  tenantKey(tenant: string): Promise<WrappedKey | null>;
  /** Stores the key unless the tenant has one; returns the one that counts. */
  addTenantKey(tenant: string, key: WrappedKey): Promise<WrappedKey>;
  /** The subject's key in use. */
  subjectKey(tenant: string, subject: string): Promise<WrappedKey | null>;
  addSubjectKey(tenant: string, subject: string, key: WrappedKey): Promise<WrappedKey>;
  /** A subject key by id, for opening; `wrapped` is null when it was destroyed. Null when there never was one. */
  subjectKeyById(tenant: string, id: string): Promise<{ readonly wrapped: Uint8Array | null } | null>;
}
export const KeyStore = Symbol('KeyStore');
