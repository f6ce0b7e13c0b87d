import { canonicalJson, type EventDraft, type HoldfastConfig, policyDocument, SYSTEM_TENANT } from '#libs/contracts';
import type { ConfigRevision, Sha256 } from '#libs/ports';

export interface PlannedRevision {
  readonly next: ConfigRevision;
  /** What the logs must say of it, system log first. */
  readonly events: readonly EventDraft[];
}

/**
 * What applying a configuration means: the revision it becomes and the events that tell of it. Null when it says the same as the
 * one in force. Each tenant's log hears only of its own policy and servers.
 */
export function planRevision(previous: ConfigRevision | null, config: HoldfastConfig, source: 'start' | 'api', digestOf: (text: string) => string): PlannedRevision | null {
  const digest = digestOf(canonicalJson(config));
  if (previous?.digest === digest) return null;
  const next: ConfigRevision = { revision: (previous?.revision ?? 0) + 1, digest, config };
  const corr = `config-${next.revision}`;
  const base = { actor: { via: 'system' as const }, corr, links: {} };
  const events: EventDraft[] = [{ ...base, type: 'config.applied', tenant: SYSTEM_TENANT, data: { revision: next.revision, digest, previous: previous?.digest ?? null, source } }];
  for (const { id: tenant } of config.tenants) {
    const policy = policyDocument(config, tenant);
    if (!previous || policyDocument(previous.config, tenant) !== policy) {
      const rules = config.policies.filter((rule) => rule.tenant === tenant).length;
      events.push({ ...base, type: 'policy.activated', tenant, data: { policyVersion: next.revision, policyDigest: digestOf(policy), rules } });
    }
    events.push(...serverEvents(previous?.config, config, tenant, digestOf).map((event) => ({ ...base, tenant, ...event }) as EventDraft));
  }
  return { next, events };
}

type ServerEvent = Pick<Extract<EventDraft, { type: 'server.registered' | 'server.changed' | 'server.disabled' }>, 'type' | 'data'>;

function serverEvents(before: HoldfastConfig | undefined, after: HoldfastConfig, tenant: string, digestOf: (text: string) => string): ServerEvent[] {
  const of = (config: HoldfastConfig | undefined): Map<string, HoldfastConfig['servers'][number]> => new Map((config?.servers ?? []).filter((server) => server.tenant === tenant).map((server) => [server.id, server]));
  const [was, is] = [of(before), of(after)];
  const events: ServerEvent[] = [];
  for (const server of is.values()) {
    const digest = digestOf(canonicalJson(server));
    const old = was.get(server.id);
    if (old && digestOf(canonicalJson(old)) === digest) continue;
    events.push({ type: old ? 'server.changed' : 'server.registered', data: { server: server.id, transport: server.transport.type, digest, ...(server.owner === undefined ? {} : { owner: server.owner }) } });
  }
  for (const id of was.keys()) if (!is.has(id)) events.push({ type: 'server.disabled', data: { server: id } });
  return events;
}

/** For composition: SHA-256 as the digests of this slice are written. */
export function digestWith(sha256: Sha256, base64url: (bytes: Uint8Array) => string): (text: string) => string {
  return (text) => base64url(sha256(text));
}
