import { canonicalJson } from '../canonical/canonical-json.ts';
import type { HoldfastConfig } from './config-schema.ts';

/**
 * The canonical text of a tenant's policy: its rules as configured, in the order of the file, and the flows they name. Its SHA-256
 * is the policy digest that decisions and `policy.activated` carry.
 */
export function policyDocument(config: HoldfastConfig, tenant: string): string {
  return canonicalJson({
    policies: config.policies.filter((policy) => policy.tenant === tenant),
    flows: config.flows.filter((flow) => flow.tenant === tenant),
  });
}
