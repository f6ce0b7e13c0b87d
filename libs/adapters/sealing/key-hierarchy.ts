import { randomBytes, randomUUID } from 'node:crypto';
import type { KeyStore, WrappedKey } from '#libs/ports';
import { decrypt, encrypt } from './aes-gcm.ts';

export interface OpenKey {
  readonly id: string;
  readonly key: Uint8Array;
}

const MAX_CACHED_SUBJECTS = 10_000;
/** A destroyed subject key gives way to a new one in every process soon, so a cached one is asked for again after this long. */
const CACHE_MS = 5_000;

/** Master key wraps tenant keys, a tenant key wraps its subjects' keys. Makes missing keys, keeps open ones for a short while. */
export class KeyHierarchy {
  private readonly tenants = new Map<string, OpenKey>();
  private readonly subjects = new Map<string, { readonly key: OpenKey; readonly until: number }>();
  private readonly pending = new Map<string, Promise<OpenKey>>();

  constructor(
    private readonly masterKey: Uint8Array,
    private readonly store: KeyStore,
    private readonly now: () => number,
  ) {
    if (masterKey.length !== 32) throw new RangeError('the master key must have 32 bytes');
  }

  /**
   * The subject's key when it was ever open here: the way without waiting. One that is not fresh is asked for again meanwhile, and
   * still serves: an outcome must be sealed also while the database is away, and what is sealed under a destroyed key nobody opens.
   */
  cachedSubjectKey(tenant: string, subject: string): OpenKey | undefined {
    const cached = this.subjects.get(`${tenant}\n${subject}`);
    if (cached && cached.until <= this.now()) this.subjectKey(tenant, subject).catch(() => undefined);
    return cached?.key;
  }

  subjectKey(tenant: string, subject: string): Promise<OpenKey> {
    const name = `${tenant}\n${subject}`;
    let loading = this.pending.get(name);
    if (!loading) {
      loading = this.loadSubjectKey(tenant, subject).finally(() => this.pending.delete(name));
      this.pending.set(name, loading);
    }
    return loading;
  }

  /** A key that sealed something earlier; null when it was destroyed. */
  async subjectKeyById(tenant: string, id: string): Promise<OpenKey | null> {
    const stored = await this.store.subjectKeyById(tenant, id);
    if (!stored) throw new Error(`there is no key ${id}`);
    if (!stored.wrapped) return null;
    const tenantKey = await this.tenantKey(tenant);
    return { id, key: decrypt(tenantKey.key, stored.wrapped, subjectContext(tenant, id)) };
  }

  private async loadSubjectKey(tenant: string, subject: string): Promise<OpenKey> {
    const tenantKey = await this.tenantKey(tenant);
    let stored = await this.store.subjectKey(tenant, subject);
    if (!stored) {
      const id = randomUUID();
      stored = await this.store.addSubjectKey(tenant, subject, { id, wrapped: encrypt(tenantKey.key, randomBytes(12), randomBytes(32), subjectContext(tenant, id)) });
    }
    const key = { id: stored.id, key: decrypt(tenantKey.key, stored.wrapped, subjectContext(tenant, stored.id)) };
    if (this.subjects.size >= MAX_CACHED_SUBJECTS) this.subjects.delete(this.subjects.keys().next().value!);
    this.subjects.set(`${tenant}\n${subject}`, { key, until: this.now() + CACHE_MS });
    return key;
  }

  private async tenantKey(tenant: string): Promise<OpenKey> {
    const cached = this.tenants.get(tenant);
    if (cached) return cached;
    let stored: WrappedKey | null = await this.store.tenantKey(tenant);
    if (!stored) {
      const id = randomUUID();
      stored = await this.store.addTenantKey(tenant, { id, wrapped: encrypt(this.masterKey, randomBytes(12), randomBytes(32), tenantContext(tenant, id)) });
    }
    const key = { id: stored.id, key: decrypt(this.masterKey, stored.wrapped, tenantContext(tenant, stored.id)) };
    this.tenants.set(tenant, key);
    return key;
  }
}

const tenantContext = (tenant: string, id: string): string => `holdfast-tenant-key\n${tenant}\n${id}`;
const subjectContext = (tenant: string, id: string): string => `holdfast-subject-key\n${tenant}\n${id}`;
