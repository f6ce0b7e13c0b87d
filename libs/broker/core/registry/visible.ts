import type { CallMethod } from '../policy/facts.ts';
import type { Principal } from '#libs/ports';
import { couldBeAllowed } from '../policy/decide.ts';
import type { Definition } from '../upstream/upstreams.ts';
import type { Directory } from './directory.ts';
import { type NamedOffer, type Offer, resourceOffer } from './offer.ts';
import type { NamedKind, RegisteredServer, TenantRegistry } from './registry.ts';

/** Where a request came in: everything the principal may see, or one server under its own names. */
export type Endpoint = { readonly path: '/mcp' } | { readonly path: string; readonly server: RegisteredServer };

/** What a name or URI means to a caller. `hidden` exists but must look to the caller exactly like `unknown`. */
export type Resolution =
  | { readonly kind: 'offer'; readonly offer: Offer }
  | { readonly kind: 'hidden'; readonly offer: Offer }
  | { readonly kind: 'unreachable'; readonly server: RegisteredServer }
  | { readonly kind: 'unknown' };

/** Who asks, where, under which configuration. */
export interface View {
  readonly registry: TenantRegistry;
  readonly principal: Principal;
  readonly endpoint: Endpoint;
}

/** A list may show what was heard up to this long ago; a call of a name that is not known asks the server again after the shorter time. */
const LIST_AGE_MS = 10_000;
const UNKNOWN_NAME_AGE_MS = 1_000;
/** Resources of a server that are remembered with what policy says of them. */
const REMEMBERED_RESOURCES = 1_000;
/** Longer URIs are not remembered: a thousand requests could leave gigabytes behind. */
const REMEMBERED_URI_CHARS = 2_000;

/** The servers a credential may reach at all. */
export function reachable(registry: TenantRegistry, principal: Principal, id: string): RegisteredServer | undefined {
  const server = registry.servers.find(({ facts }) => facts.id === id);
  return server && inScope(principal, server) ? server : undefined;
}

/** The servers behind an endpoint that the caller may reach, in the order of the file. */
export function serversOf({ registry, principal, endpoint }: View): RegisteredServer[] {
  if ('server' in endpoint) return [endpoint.server];
  return registry.servers.filter((server) => inScope(principal, server));
}

/** What one caller sees under one registry. Answers are remembered by caller and offer, both of which never change. */
export class Visible {
  private readonly answers = new WeakMap<Principal, WeakMap<Offer, boolean>>();
  private readonly resourceOffers = new WeakMap<RegisteredServer, Map<string, Offer>>();

  constructor(private readonly directory: Directory) {}

  /** What a tool or prompt of this name is. */
  async resolve(view: View, kind: NamedKind, name: string): Promise<Resolution> {
    const known = this.lookUp(view, kind, name);
    if (known?.kind === 'offer') return known;
    // Nobody knows the name yet: the servers that could own it are asked again, unless they were asked just now. What is hidden takes
    // as long as what is not there.
    const owners = this.owners(view, name);
    await Promise.all(owners.map((server) => this.directory.refresh(server.upstream, kind, UNKNOWN_NAME_AGE_MS)));
    const found = this.lookUp(view, kind, name);
    if (found) return found;
    const silent = owners.find(
      (server) => this.directory.list(server.upstream, kind) === undefined && this.mightBeSeen(view, kind, server, name),
    );
    return silent ? { kind: 'unreachable', server: silent } : { kind: 'unknown' };
  }

  /** Whatever a request of this method names, as its server tells it now: the request is old, and what people saw may be gone. */
  async anew(view: View, method: CallMethod, name: string): Promise<Resolution> {
    if (method === 'resources/read') return this.resource(view, name);
    const kind = method === 'tools/call' ? 'tools' : 'prompts';
    await Promise.all(this.owners(view, name).map((server) => this.directory.refresh(server.upstream, kind, LIST_AGE_MS)));
    return this.resolve(view, kind, name);
  }

  /** Offers the caller may see: by name on `/mcp`, in the server's own order on the path of one server. */
  async list(view: View, kind: NamedKind): Promise<readonly NamedOffer[]> {
    const servers = serversOf(view);
    await Promise.all(servers.map((server) => this.directory.refresh(server.upstream, kind, LIST_AGE_MS)));
    const visible: NamedOffer[] = [];
    for (const server of servers) {
      for (const offer of this.pinned(kind, server).values()) {
        if (!this.sees(view, offer)) continue;
        if ('server' in view.endpoint || this.lookUpExposed(view, kind, offer.exposed) === offer) visible.push(offer);
      }
    }
    return 'server' in view.endpoint ? visible : visible.sort((a, b) => (a.exposed < b.exposed ? -1 : 1));
  }

  /**
   * Whose a URI is. On the path of one server it is that server's, listed or not. On `/mcp` it is the first server's that lists it for
   * this caller, or else the one with the longest template that begins like it, or else the only one that has resources at all.
   */
  async resource(view: View, uri: string): Promise<Resolution> {
    const { endpoint } = view;
    const server = 'server' in endpoint ? endpoint.server : await this.ownerOf(view, uri);
    if (!server || !server.offers(uri)) return { kind: 'unknown' };
    const offer = this.resourceOffer(server, uri);
    return { kind: this.sees(view, offer) ? 'offer' : 'hidden', offer };
  }

  /** Whether a caller may know of a resource of a server. */
  seesResource(view: View, server: RegisteredServer, uri: string): boolean {
    return server.offers(uri) && this.sees(view, this.resourceOffer(server, uri));
  }

  /** Resources or templates the caller may see, server by server in the order of the file; what two servers list is the first one's. */
  async resources(view: View, kind: 'resources' | 'resourceTemplates'): Promise<readonly Definition[]> {
    const servers = serversOf(view);
    await Promise.all(servers.map((server) => this.directory.refresh(server.upstream, kind, LIST_AGE_MS)));
    const member = kind === 'resources' ? 'uri' : 'uriTemplate';
    const visible = new Map<string, Definition>();
    for (const server of servers) {
      for (const definition of this.directory.list(server.upstream, kind) ?? []) {
        const uri = definition[member] as string;
        if (!visible.has(uri) && this.seesResource(view, server, uri)) visible.set(uri, definition);
      }
    }
    return [...visible.values()];
  }

  private async ownerOf(view: View, uri: string): Promise<RegisteredServer | undefined> {
    const servers = serversOf(view);
    const listed = (kind: 'resources' | 'resourceTemplates', server: RegisteredServer): readonly Definition[] =>
      this.directory.list(server.upstream, kind) ?? [];
    const lists = (server: RegisteredServer): boolean => listed('resources', server).some((definition) => definition['uri'] === uri) ||
      listed('resourceTemplates', server).some((definition) => definition['uriTemplate'] === uri);
    const shows = (server: RegisteredServer): boolean => lists(server) && this.seesResource(view, server, uri);
    const known = servers.find(shows);
    if (known) return known;
    const asked = (['resources', 'resourceTemplates'] as const).flatMap((kind) =>
      servers.map((server) => this.directory.refresh(server.upstream, kind, UNKNOWN_NAME_AGE_MS)),
    );
    await Promise.all(asked);
    const found = servers.find(shows) ?? servers.find(lists);
    if (found) return found;
    let best: RegisteredServer | undefined;
    let longest = -1;
    for (const server of servers) {
      for (const definition of listed('resourceTemplates', server)) {
        const start = (definition['uriTemplate'] as string).split('{', 1)[0]!;
        if (start.length > longest && uri.startsWith(start)) [best, longest] = [server, start.length];
      }
    }
    if (best) return best;
    const having = servers.filter((server) => listed('resources', server).length + listed('resourceTemplates', server).length > 0);
    return having.length === 1 ? having[0] : undefined;
  }

  private resourceOffer(server: RegisteredServer, uri: string): Offer {
    if (uri.length > REMEMBERED_URI_CHARS) return resourceOffer(server, uri);
    let offers = this.resourceOffers.get(server);
    if (!offers) this.resourceOffers.set(server, (offers = new Map()));
    let offer = offers.get(uri);
    if (!offer) {
      if (offers.size >= REMEMBERED_RESOURCES) offers.clear();
      offers.set(uri, (offer = resourceOffer(server, uri)));
    }
    return offer;
  }

  private lookUp(view: View, kind: NamedKind, name: string): Resolution | undefined {
    const { endpoint } = view;
    const offer = 'server' in endpoint ? this.pinned(kind, endpoint.server).get(name) : this.lookUpExposed(view, kind, name);
    return offer && { kind: this.sees(view, offer) ? 'offer' : 'hidden', offer };
  }

  private lookUpExposed({ registry, principal }: View, kind: NamedKind, name: string): NamedOffer | undefined {
    for (const server of ownersOf(registry, name)) {
      const offer = inScope(principal, server) ? this.pinned(kind, server).get(name.slice(server.prefix.length)) : undefined;
      if (offer) return offer;
    }
    return undefined;
  }

  private owners({ registry, principal, endpoint }: View, name: string): RegisteredServer[] {
    return 'server' in endpoint ? [endpoint.server] : ownersOf(registry, name).filter((server) => inScope(principal, server));
  }

  private pinned(kind: NamedKind, server: RegisteredServer): ReadonlyMap<string, NamedOffer> {
    const definitions = this.directory.list(server.upstream, kind);
    return definitions ? server.pinned(kind, definitions) : NONE;
  }

  private sees({ registry, principal }: View, offer: Offer): boolean {
    let answers = this.answers.get(principal);
    if (!answers) this.answers.set(principal, (answers = new WeakMap()));
    let answer = answers.get(offer);
    if (answer === undefined) {
      answer = allowedToAgent(registry, principal, offer.exposed) && couldBeAllowed(registry.policy, principal, offer);
      answers.set(offer, answer);
    }
    return answer;
  }

  /** Whether an offer of this name would be seen if the silent server had it; decides who may learn that a server is down. */
  private mightBeSeen(view: View, kind: NamedKind, server: RegisteredServer, name: string): boolean {
    const own = 'server' in view.endpoint ? name : name.slice(server.prefix.length);
    const supposed = server.supposed(kind, own);
    return supposed !== null && this.sees(view, supposed);
  }
}

const NONE: ReadonlyMap<string, NamedOffer> = new Map();

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
