import type { Principal } from '#libs/ports';
import { couldBeAllowed } from '../policy/decide.ts';
import type { PinnedTool } from './pinned-tool.ts';
import type { RegisteredServer, TenantRegistry } from './registry.ts';
import type { ToolDirectory } from './tool-directory.ts';

/** Where a request came in: everything the principal may see, or one server under its own names. */
export type Endpoint = { readonly path: '/mcp' } | { readonly path: string; readonly server: RegisteredServer };

/** What a name means to a caller. `hidden` exists but must look to the caller exactly like `unknown`. */
export type Resolution =
  | { readonly kind: 'tool'; readonly tool: PinnedTool }
  | { readonly kind: 'hidden'; readonly tool: PinnedTool }
  | { readonly kind: 'unreachable'; readonly server: RegisteredServer }
  | { readonly kind: 'unknown' };

/** A list may show what was heard up to this long ago; a call of a name that is not known asks the server again after the shorter time. */
const LIST_AGE_MS = 10_000;
const UNKNOWN_NAME_AGE_MS = 1_000;

/** The servers a credential may reach at all. */
export function reachable(registry: TenantRegistry, principal: Principal, id: string): RegisteredServer | undefined {
  const server = registry.servers.find(({ facts }) => facts.id === id);
  return server && inScope(principal, server) ? server : undefined;
}

/** What one caller sees under one registry. Answers are remembered by caller and tool, both of which never change. */
export class VisibleTools {
  private readonly answers = new WeakMap<Principal, WeakMap<PinnedTool, boolean>>();

  constructor(private readonly directory: ToolDirectory) {}

  async resolve(registry: TenantRegistry, principal: Principal, endpoint: Endpoint, name: string): Promise<Resolution> {
    const known = this.lookUp(registry, principal, endpoint, name);
    if (known) return known;
    // Nobody knows the name yet: the servers that could own it are asked again, unless they were asked just now.
    const owners = this.owners(registry, principal, endpoint, name);
    await Promise.all(owners.map((server) => this.directory.refresh(server.upstream, UNKNOWN_NAME_AGE_MS)));
    const found = this.lookUp(registry, principal, endpoint, name);
    if (found) return found;
    const silent = owners.find(
      (server) => this.directory.known(server.upstream) === undefined && this.mightBeSeen(registry, principal, server, name, endpoint),
    );
    return silent ? { kind: 'unreachable', server: silent } : { kind: 'unknown' };
  }

  /** Tools the caller may see: by name on `/mcp`, in the server's own order on the path of one server. */
  async list(registry: TenantRegistry, principal: Principal, endpoint: Endpoint): Promise<readonly PinnedTool[]> {
    const servers = this.servers(registry, principal, endpoint);
    await Promise.all(servers.map((server) => this.directory.refresh(server.upstream, LIST_AGE_MS)));
    const visible: PinnedTool[] = [];
    for (const server of servers) {
      for (const tool of this.pinned(server).values()) {
        if (!this.sees(registry, principal, tool)) continue;
        if ('server' in endpoint || this.lookUpExposed(registry, principal, tool.exposed) === tool) visible.push(tool);
      }
    }
    return 'server' in endpoint ? visible : visible.sort((a, b) => (a.exposed < b.exposed ? -1 : 1));
  }

  private lookUp(registry: TenantRegistry, principal: Principal, endpoint: Endpoint, name: string): Resolution | undefined {
    const tool = 'server' in endpoint ? this.pinned(endpoint.server).get(name) : this.lookUpExposed(registry, principal, name);
    return tool && { kind: this.sees(registry, principal, tool) ? 'tool' : 'hidden', tool };
  }

  private lookUpExposed(registry: TenantRegistry, principal: Principal, name: string): PinnedTool | undefined {
    for (const server of ownersOf(registry, name)) {
      const tool = inScope(principal, server) ? this.pinned(server).get(name.slice(server.prefix.length)) : undefined;
      if (tool) return tool;
    }
    return undefined;
  }

  private owners(registry: TenantRegistry, principal: Principal, endpoint: Endpoint, name: string): RegisteredServer[] {
    return 'server' in endpoint ? [endpoint.server] : ownersOf(registry, name).filter((server) => inScope(principal, server));
  }

  private servers(registry: TenantRegistry, principal: Principal, endpoint: Endpoint): RegisteredServer[] {
    if ('server' in endpoint) return [endpoint.server];
    return registry.servers.filter((server) => inScope(principal, server));
  }

  private pinned(server: RegisteredServer): ReadonlyMap<string, PinnedTool> {
    const definitions = this.directory.known(server.upstream);
    return definitions ? server.pinned(definitions) : NONE;
  }

  private sees(registry: TenantRegistry, principal: Principal, tool: PinnedTool): boolean {
    let answers = this.answers.get(principal);
    if (!answers) this.answers.set(principal, (answers = new WeakMap()));
    let answer = answers.get(tool);
    if (answer === undefined) {
      answer = allowedToAgent(registry, principal, tool.exposed) && couldBeAllowed(registry.policy, principal, tool);
      answers.set(tool, answer);
    }
    return answer;
  }

  /** Whether a tool of this name would be seen if the silent server had it; decides who may learn that a server is down. */
  private mightBeSeen(registry: TenantRegistry, principal: Principal, server: RegisteredServer, name: string, endpoint: Endpoint): boolean {
    const own = 'server' in endpoint ? name : name.slice(server.prefix.length);
    const supposed = server.supposed(own);
    return supposed !== null && this.sees(registry, principal, supposed);
  }
}

const NONE: ReadonlyMap<string, PinnedTool> = new Map();

/**
 * The servers that own an exposed name: those with the longest prefix of it, in the order of the file. A server with a shorter
 * prefix never gets the name, whatever it calls its tools, so none can slip in between an agent and another server.
 */
function ownersOf(registry: TenantRegistry, name: string): RegisteredServer[] {
  let owners: RegisteredServer[] = [];
  let length = 0;
  for (const server of registry.servers) {
    if (server.prefix.length < length || !name.startsWith(server.prefix)) continue;
    if (server.prefix.length > length) owners = [];
    length = server.prefix.length;
    owners.push(server);
  }
  return owners;
}

function inScope(principal: Principal, server: RegisteredServer): boolean {
  return principal.servers === undefined || principal.servers.includes(server.facts.id);
}

function allowedToAgent(registry: TenantRegistry, principal: Principal, exposed: string): boolean {
  if (principal.agent === undefined) return true;
  const matcher = registry.agentTools.get(principal.agent);
  return matcher === undefined || matcher(exposed);
}
