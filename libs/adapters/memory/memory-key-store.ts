import type { KeyStore, WrappedKey } from '#libs/ports';

/** {@link KeyStore} in memory. For tests only. */
export class MemoryKeyStore implements KeyStore {
  private readonly tenants = new Map<string, WrappedKey>();
  private readonly subjects = new Map<string, WrappedKey>();
  private readonly destroyed = new Set<string>();

  /** What erasing a subject does. */
  destroySubject(tenant: string, subject: string): void {
    const key = this.subjects.get(`${tenant}\n${subject}`);
    if (key) this.destroyed.add(key.id);
  }

  tenantKey(tenant: string): Promise<WrappedKey | null> {
    return Promise.resolve(this.tenants.get(tenant) ?? null);
  }

  addTenantKey(tenant: string, key: WrappedKey): Promise<WrappedKey> {
    if (!this.tenants.has(tenant)) this.tenants.set(tenant, key);
    return Promise.resolve(this.tenants.get(tenant)!);
  }

  subjectKey(tenant: string, subject: string): Promise<WrappedKey | null> {
    return Promise.resolve(this.subjects.get(`${tenant}\n${subject}`) ?? null);
  }

  addSubjectKey(tenant: string, subject: string, key: WrappedKey): Promise<WrappedKey> {
    const name = `${tenant}\n${subject}`;
    if (!this.subjects.has(name)) this.subjects.set(name, key);
    return Promise.resolve(this.subjects.get(name)!);
  }

  subjectKeyById(tenant: string, id: string): Promise<{ readonly wrapped: Uint8Array | null } | null> {
    for (const [name, key] of this.subjects) {
      if (key.id === id && name.startsWith(`${tenant}\n`)) return Promise.resolve({ wrapped: this.destroyed.has(id) ? null : key.wrapped });
    }
    return Promise.resolve(null);
  }
}
