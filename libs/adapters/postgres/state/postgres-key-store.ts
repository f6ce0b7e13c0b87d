import type pg from 'pg';
import type { KeyStore, WrappedKey } from '#libs/ports';

/** {@link KeyStore} in the operational database. */
export class PostgresKeyStore implements KeyStore {
  constructor(private readonly pool: pg.Pool) {}

  async tenantKey(tenant: string): Promise<WrappedKey | null> {
    return this.one('select id, wrapped from state.tenant_key where tenant = $1', [tenant]);
  }

  async addTenantKey(tenant: string, key: WrappedKey): Promise<WrappedKey> {
    await this.pool.query('insert into state.tenant_key (tenant, id, wrapped) values ($1, $2, $3) on conflict (tenant) do nothing', [tenant, key.id, key.wrapped]);
    return (await this.tenantKey(tenant))!;
  }

  async subjectKey(tenant: string, subject: string): Promise<WrappedKey | null> {
    return this.one('select id, wrapped from state.subject_key where tenant = $1 and subject = $2 and destroyed_at is null', [tenant, subject]);
  }

  async addSubjectKey(tenant: string, subject: string, key: WrappedKey): Promise<WrappedKey> {
    await this.pool.query('insert into state.subject_key (id, tenant, subject, wrapped) values ($1, $2, $3, $4) on conflict (tenant, subject) where destroyed_at is null do nothing', [key.id, tenant, subject, key.wrapped]);
    return (await this.subjectKey(tenant, subject))!;
  }

  async subjectKeyById(tenant: string, id: string): Promise<{ readonly wrapped: Uint8Array | null } | null> {
    const { rows } = await this.pool.query<{ wrapped: Buffer | null }>('select wrapped from state.subject_key where tenant = $1 and id = $2', [tenant, id]);
    return rows[0] ?? null;
  }

  private async one(sql: string, values: readonly string[]): Promise<WrappedKey | null> {
    const { rows } = await this.pool.query<{ id: string; wrapped: Buffer }>(sql, [...values]);
    return rows[0] ?? null;
  }
}
