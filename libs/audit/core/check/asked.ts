import type { EventData, HoldfastEvent } from '#libs/contracts';

export type Binding = EventData<'approval.requested'>['binding'];

/** Who asked for what, in the words of the request: all of it that an approval is bound to. */
export interface Asked extends Omit<Binding, 'user' | 'client' | 'server' | 'policyVersion' | 'createdAt'> {
  readonly user: string | null;
  readonly client: string | null;
  readonly server: string | null;
}

export function askedBy({ tenant, actor, data }: Extract<HoldfastEvent, { type: 'call.requested' }>): Asked {
  return {
    tenant,
    user: actor.user ?? null,
    client: actor.client ?? null,
    agent: actor.agent ?? null,
    server: data.server,
    method: data.method ?? 'tools/call',
    tool: data.tool,
    toolHash: data.toolHash,
    args: { digest: data.argsDigest, absent: data.argsAbsent },
  };
}

const TOOL = ['tenant', 'agent', 'server', 'method', 'tool', 'toolHash'] as const satisfies readonly (keyof Asked)[];

/** What a standing approval is for and the call is not, by name. */
export function otherTool(asked: Asked, call: Pick<Binding, (typeof TOOL)[number]>): string[] {
  return TOOL.filter((key) => asked[key] !== call[key]);
}

/** What an approval is bound to and the call is not, by name. */
export function otherCall(asked: Asked, binding: Binding): string[] {
  const who = (['user', 'client'] as const).filter((key) => asked[key] !== binding[key]);
  return [...who, ...otherTool(asked, binding), ...(sameArguments(asked.args, binding.args) ? [] : ['arguments'])];
}

export function sameArguments(a: Binding['args'], b: Binding['args']): boolean {
  return a.digest === b.digest && a.absent === b.absent;
}
