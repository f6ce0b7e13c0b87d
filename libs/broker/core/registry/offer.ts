import { canonicalJson, type ImpactClass, MAX_SEALED_DEPTH, type ServerConfig } from '#libs/contracts';
import { type ParamHeader, paramHeaders } from '../mcp/param-headers.ts';
import { isObject, type JsonObject } from '../mcp/protocol.ts';
import type { OfferFacts } from '../policy/facts.ts';
import type { Definition, ToolDefinition } from '../upstream/upstreams.ts';
import { impactClass } from './impact-class.ts';
import type { RegisteredServer } from './registry.ts';

/** Something a server offers, at one hash, and all that a request for it needs to know. A changed definition is another object. */
export interface Offer extends OfferFacts {
  readonly registered: RegisteredServer;
  /** What the arguments of a tool must fit. */
  readonly inputSchema: JsonObject | undefined;
  /** What the structured results of a tool must fit. */
  readonly outputSchema: JsonObject | undefined;
  readonly paramHeaders: readonly ParamHeader[];
  /** Whether the configuration says how to undo a call. */
  readonly compensated: boolean;
}

/** An offer that lists show by name: a tool or a prompt. */
export interface NamedOffer extends Offer {
  /** JSON of the definition: under the server's own name or the exposed one, for either protocol era. */
  json(name: 'own' | 'exposed', era: 'legacy' | 'modern'): string;
}

/** Null when the definition cannot be written down exactly or is no tool definition: such a tool is not offered. */
export function pinTool(
  registered: RegisteredServer,
  config: ServerConfig,
  definition: ToolDefinition,
  digest: (text: string) => string,
): NamedOffer | null {
  const { name, title, description, inputSchema, outputSchema, annotations } = definition as Readonly<Record<string, unknown>>;
  const hash = hashOf({ name, title, description, inputSchema, outputSchema, annotations }, digest);
  if (hash === null) return null;
  const compensated = Object.hasOwn(config.tools, definition.name) && config.tools[definition.name]?.compensate !== undefined;
  return {
    ...facts('tools/call', registered, definition.name, impactClass(config, definition), hash),
    inputSchema: definition.inputSchema,
    outputSchema: isObject(outputSchema) ? outputSchema : undefined,
    paramHeaders: paramHeaders(definition.inputSchema),
    compensated,
    // The 2026 era took this member out of the definition of a tool.
    json: jsonOf(definition, registered.prefix, ['execution']),
  };
}

/** Null when the definition cannot be written down exactly. A prompt is text for a model: getting it changes nothing. */
export function pinPrompt(
  registered: RegisteredServer,
  definition: Definition & { readonly name: string },
  digest: (text: string) => string,
): NamedOffer | null {
  const hash = hashOf(definition, digest);
  if (hash === null) return null;
  return {
    ...facts('prompts/get', registered, definition.name, 'read', hash),
    ...PLAIN,
    json: jsonOf(definition, registered.prefix, []),
  };
}

/** A resource by its URI. Reading changes nothing, but nobody has said yet how sensitive what it holds is. */
export function resourceOffer(registered: RegisteredServer, uri: string): Offer {
  return { ...facts('resources/read', registered, uri, 'read-sensitive', null), ...PLAIN };
}

const PLAIN = { inputSchema: undefined, outputSchema: undefined, paramHeaders: [], compensated: false } as const;

function facts(
  method: OfferFacts['method'],
  registered: RegisteredServer,
  name: string,
  impact: ImpactClass,
  hash: string | null,
): OfferFacts & { readonly registered: RegisteredServer } {
  return { method, registered, server: registered.facts, name, exposed: `${registered.prefix}${name}`, class: impact, hash };
}

/** Digest of what makes a thing the thing that people reviewed; members that are absent stay absent. */
function hashOf(definition: JsonObject, digest: (text: string) => string): string | null {
  try {
    return digest(canonicalJson(definition, MAX_SEALED_DEPTH));
  } catch {
    return null;
  }
}

function jsonOf(definition: Definition, prefix: string, notModern: readonly string[]): NamedOffer['json'] {
  const texts = new Map<string, string>();
  return (name, era) => {
    const key = `${name} ${era}`;
    let text = texts.get(key);
    if (text === undefined) {
      const own = definition['name'] as string;
      const shown: Record<string, unknown> = { ...definition, name: name === 'own' ? own : `${prefix}${own}` };
      if (era === 'modern') for (const member of notModern) delete shown[member];
      texts.set(key, (text = JSON.stringify(shown)));
    }
    return text;
  };
}
