import {
  type ToolDefinition,
  type UpstreamAnswer,
  type UpstreamCall,
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

  tools(server: UpstreamServer): Promise<readonly ToolDefinition[]> {
    this.asked++;
    const tools = this.lists.get(server.id);
    return tools ? Promise.resolve(tools) : Promise.reject(new UpstreamUnavailable('the server cannot be reached'));
  }

  async call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer> {
    this.calls.push({ server: server.id, call });
    return this.answer(call);
  }

  retain(): void {}
}

export function tool(name: string, more: Partial<ToolDefinition> = {}): ToolDefinition {
  return { name, inputSchema: { type: 'object' }, ...more };
}
