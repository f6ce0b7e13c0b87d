import { canonicalJson, type HoldfastConfig, type ServerConfig } from '#libs/contracts';
import { compileGlobs, compileRestriction, type Matcher } from '../policy/glob.ts';
import type { ServerFacts } from '../policy/facts.ts';
import { compilePolicySet, type PolicyCompiler, type PolicySet } from '../policy/policy-set.ts';
import type { ToolDefinition, UpstreamServer } from '../upstream/upstreams.ts';
import { type PinnedTool, pinTool } from './pinned-tool.ts';

/** A server as one configuration revision describes it. */
export interface RegisteredServer {
  readonly facts: ServerFacts;
  readonly prefix: string;
  readonly upstream: UpstreamServer;
  /** The offered tools among these definitions, by the server's own names and in its order; worked out once per list. */
  pinned(definitions: readonly ToolDefinition[]): ReadonlyMap<string, PinnedTool>;
  /** What a tool of this name would be, as far as that can be said without its definition; null when it would not be offered. */
  supposed(name: string): PinnedTool | null;
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
  let pinnedOf: readonly ToolDefinition[] | undefined;
  let pinned: ReadonlyMap<string, PinnedTool> = new Map();
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
    pinned: (definitions) => {
      if (definitions !== pinnedOf) {
        const offered = new Map<string, PinnedTool>();
        for (const definition of definitions) {
          if (!offers(definition.name) || offered.has(definition.name)) continue;
          const tool = pinTool(server, config, definition, digest);
          if (tool) offered.set(definition.name, tool);
        }
        pinnedOf = definitions;
        pinned = offered;
      }
      return pinned;
    },
    supposed: (name) => (offers(name) ? pinTool(server, config, { name, inputSchema: {} }, digest) : null),
  };
  return server;
}
