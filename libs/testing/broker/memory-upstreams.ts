import {
  type Definition,
  type ListKind,
  type ToolDefinition,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamListener,
  type UpstreamServer,
  type Upstreams,
  UpstreamUnavailable,
} from '#libs/broker/core';

/** {@link Upstreams} in memory: servers are lists of tools, answers are given by the spec, every call is counted. */
export class MemoryUpstreams implements Upstreams {
  readonly lists = new Map<string, readonly ToolDefinition[]>();
  readonly calls: { readonly server: string; readonly call: UpstreamCall }[] = [];
  answer: (call: UpstreamCall) => UpstreamAnswer | Promise<UpstreamAnswer> = () => ({ kind: 'result', text: '{"content":[]}' });
  asked = 0;

  readonly descriptions = new Map<string, Partial<UpstreamDescription>>();
  readonly others = new Map<string, readonly Definition[]>();
  readonly watched = new Set<string>();
  readonly ended: string[] = [];
  private listener: UpstreamListener | undefined;
  private readonly servers = new Map<string, UpstreamServer>();

  /** A server says something on its own; nobody hears one that was never asked for anything. */
  say(id: string, method: string, params = '{}'): void {
    const server = this.servers.get(id);
    if (server) this.listener?.notified(server, undefined, method, params);
  }

  describe(server: UpstreamServer): Promise<UpstreamDescription> {
    if (!this.lists.has(server.id)) return Promise.reject(new UpstreamUnavailable('the server cannot be reached'));
    return Promise.resolve({
      era: 'legacy',
      protocol: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: server.id, version: '1' },
      instructions: undefined,
      ...this.descriptions.get(server.id),
    });
  }

  list(server: UpstreamServer, kind: ListKind): Promise<readonly Definition[]> {
    this.servers.set(server.id, server);
    if (kind !== 'tools') return Promise.resolve(this.others.get(`${server.id} ${kind}`) ?? []);
    this.asked++;
    const tools = this.lists.get(server.id);
    return tools ? Promise.resolve(tools) : Promise.reject(new UpstreamUnavailable('the server cannot be reached'));
  }

  async call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer> {
    this.calls.push({ server: server.id, call });
    return this.answer(call);
  }

  async watch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer> {
    this.servers.set(server.id, server);
    this.watched.add(`${server.id} ${uri}`);
    return { kind: 'result', text: '{}' };
  }

  async unwatch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer> {
    this.watched.delete(`${server.id} ${uri}`);
    return { kind: 'result', text: '{}' };
  }

  listen(listener: UpstreamListener): void {
    this.listener = listener;
  }

  endConversation(conversation: string): void {
    this.ended.push(conversation);
  }

  retain(): void {}

  async close(): Promise<void> {}
}

export function tool(name: string, more: Partial<ToolDefinition> = {}): ToolDefinition {
  return { name, inputSchema: { type: 'object' }, ...more };
}
