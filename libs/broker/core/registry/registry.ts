import { canonicalJson, type HoldfastConfig, type ServerConfig } from '#libs/contracts';
import { isObject } from '../mcp/protocol.ts';
import { compileGlobs, compileRestriction, type Matcher } from '../policy/glob.ts';
import type { ServerFacts } from '../policy/facts.ts';
import { compilePolicySet, type PolicyCompiler, type PolicySet } from '../policy/policy-set.ts';
import type { Definition, ToolDefinition, UpstreamServer } from '../upstream/upstreams.ts';
import { type NamedOffer, pinPrompt, pinTool } from './offer.ts';

/** What has a name of its own on `/mcp`. */
export type NamedKind = 'tools' | 'prompts';

/** A server as one configuration revision describes it. */
export interface RegisteredServer {
  readonly facts: ServerFacts;
  readonly prefix: string;
  readonly upstream: UpstreamServer;
  /** The offered ones among these definitions, by the server's own names and in its order; worked out once per list. */
  pinned(kind: NamedKind, definitions: readonly Definition[]): ReadonlyMap<string, NamedOffer>;
  /** What a tool or prompt of this name would be, as far as that can be said without its definition; null when it would not be offered. */
  supposed(kind: NamedKind, name: string): NamedOffer | null;
  /** Whether anything of this name (or URI) is offered at all. */
  offers(name: string): boolean;
}

/** One tenant under one configuration revision. Nothing in it changes. */
export interface TenantRegistry {
  readonly tenant: string;
  readonly policy: PolicySet;
  /** In the order of the file. */
  readonly servers: readonly RegisteredServer[];
  /** Exposed names that an agent may use; agents that are not listed have no such restriction. */
  readonly agentTools: ReadonlyMap<string, Matcher>;
}

/** All tenants under one configuration revision. */
export interface Registry {
  readonly revision: number;
  readonly tenants: ReadonlyMap<string, TenantRegistry>;
  /** Keys of all servers, see {@link UpstreamServer}. */
  readonly upstreamKeys: ReadonlySet<string>;
}

/** Throws {@link Refusal} `config_invalid` when a policy does not compile; the registry in force then stays in force. */
export function compileRegistry(config: HoldfastConfig, revision: number, compiler: PolicyCompiler): Registry {
  const tenants = new Map<string, TenantRegistry>();
  const upstreamKeys = new Set<string>();
  for (const { id: tenant } of config.tenants) {
    const servers = config.servers.filter((server) => server.tenant === tenant).map((server) => register(server, compiler.digest));
    for (const server of servers) upstreamKeys.add(server.upstream.key);
    const agents = config.agents.filter((agent) => agent.tenant === tenant && agent.tools !== undefined);
    tenants.set(tenant, {
      tenant,
      policy: compilePolicySet(config, tenant, revision, compiler),
      servers,
      agentTools: new Map(agents.map((agent) => [agent.id, compileGlobs(agent.tools!)])),
    });
  }
  return { revision, tenants, upstreamKeys };
}

function register(config: ServerConfig, digest: (text: string) => string): RegisteredServer {
  const include = compileRestriction(config.expose?.include);
  const exclude = compileGlobs(config.expose?.exclude ?? []);
  const { transport, auth, limits } = config;
  // Where tools wait for a person's review, none is offered: this version has nobody who could review them.
  const offers = (name: string): boolean => config.trust !== 'review' && include(name) && !exclude(name);
  const pin = (kind: NamedKind, definition: Definition): NamedOffer | null => {
    if (!isNamed(definition) || !offers(definition.name)) return null;
    if (kind === 'prompts') return pinPrompt(server, definition, digest);
    return isToolDefinition(definition) ? pinTool(server, config, definition, digest) : null;
  };
  const pinned: Partial<Record<NamedKind, { readonly of: readonly Definition[]; readonly offers: ReadonlyMap<string, NamedOffer> }>> = {};
  const server: RegisteredServer = {
    facts: {
      id: config.id,
      environment: config.environment,
      owner: config.owner,
      dataClasses: config.dataClasses,
      systems: config.systems,
    },
    prefix: config.expose?.prefix ?? `${config.id}__`,
    upstream: {
      key: `${config.tenant}/${config.id}/${digest(canonicalJson({ transport, auth, limits }))}`,
      tenant: config.tenant,
      id: config.id,
      transport,
      auth,
      limits,
    },
    pinned: (kind, definitions) => {
      let last = pinned[kind];
      if (last?.of !== definitions) {
        const offered = new Map<string, NamedOffer>();
        for (const definition of definitions) {
          const offer = pin(kind, definition);
          if (offer && !offered.has(offer.name)) offered.set(offer.name, offer);
        }
        pinned[kind] = last = { of: definitions, offers: offered };
      }
      return last.offers;
    },
    supposed: (kind, name) => pin(kind, { name, inputSchema: {} }),
    offers,
  };
  return server;
}

const MAX_NAME = 256;

function isNamed(definition: Definition): definition is Definition & { readonly name: string } {
  return typeof definition['name'] === 'string' && definition['name'].length <= MAX_NAME;
}

function isToolDefinition(definition: Definition): definition is ToolDefinition {
  return isObject(definition['inputSchema']);
}
