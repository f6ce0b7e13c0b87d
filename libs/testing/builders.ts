import { HoldfastConfig } from '#libs/contracts';

/** A valid configuration of one tenant, `acme`, with whatever a spec wants different. */
export function configuration(overrides: Record<string, unknown> = {}): HoldfastConfig {
  return HoldfastConfig.parse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }], ...overrides });
}

/** A server entry of tenant `acme`. */
export function httpServer(id: string, port = 9, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, tenant: 'acme', transport: { type: 'http', url: `http://127.0.0.1:${port}/mcp` }, ...overrides };
}
