import { createHash, randomBytes } from 'node:crypto';
import { type HoldfastConfig, type KeyConfig, SYSTEM_TENANT } from '#libs/contracts';

export interface LocalKeys {
  /** A token per tenant, also for tenants that are configured no more, and for the system's own log. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly keys: readonly KeyConfig[];
}

/** Keys for the person at this machine, made anew at each start and known to nobody else (see docs/adr/0005). */
export function makeLocalKeys(config: HoldfastConfig, former: readonly string[]): LocalKeys {
  const tenants = [...new Set([...config.tenants.map((tenant) => tenant.id), ...former]), SYSTEM_TENANT];
  const tokens = Object.fromEntries(tenants.map((tenant) => [tenant, `hf_${randomBytes(32).toString('base64url')}`]));
  const keys = tenants.map((tenant): KeyConfig => ({
    id: 'local',
    tenant,
    user: 'local',
    client: 'cli',
    roles: ['operator', 'auditor', 'admin'],
    sha256: createHash('sha256').update(tokens[tenant]!).digest('hex'),
  }));
  return { tokens, keys };
}
