import { canonicalJson, type ImpactClass, MAX_SEALED_DEPTH, type ServerConfig } from '#libs/contracts';
import { type ParamHeader, paramHeaders } from '../mcp/param-headers.ts';
import type { ToolFacts } from '../policy/facts.ts';
import type { ToolDefinition } from '../upstream/upstreams.ts';
import { impactClass } from './impact-class.ts';
import type { RegisteredServer } from './registry.ts';

/** One tool definition of a server at one hash. Everything a call needs to know about it is here; a changed definition is another object. */
export interface PinnedTool extends ToolFacts {
  readonly registered: RegisteredServer;
  readonly class: ImpactClass;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly paramHeaders: readonly ParamHeader[];
  /** Whether the configuration says how to undo a call. */
  readonly compensated: boolean;
  /** JSON of the definition for a list: under the server's own name or the exposed one, for either protocol era. */
  json(name: 'own' | 'exposed', era: 'legacy' | 'modern'): string;
}

/** Null when the definition cannot be written down exactly or is no tool definition: such a tool is not offered. */
export function pinTool(
  registered: RegisteredServer,
  config: ServerConfig,
  definition: ToolDefinition,
  digest: (text: string) => string,
): PinnedTool | null {
  let hash: string;
  try {
    hash = toolHash(definition, digest);
  } catch {
    return null;
  }
  const texts = new Map<string, string>();
  const exposed = `${registered.prefix}${definition.name}`;
  return {
    registered,
    server: registered.facts,
    name: definition.name,
    exposed,
    class: impactClass(config, definition),
    hash,
    inputSchema: definition.inputSchema,
    paramHeaders: paramHeaders(definition.inputSchema),
    compensated: Object.hasOwn(config.tools, definition.name) && config.tools[definition.name]?.compensate !== undefined,
    json: (name, era) => {
      const key = `${name} ${era}`;
      let text = texts.get(key);
      if (text === undefined) {
        const shown: Record<string, unknown> = { ...definition, name: name === 'own' ? definition.name : exposed };
        // The 2026 era took this member out of the definition of a tool.
        if (era === 'modern') delete shown['execution'];
        texts.set(key, (text = JSON.stringify(shown)));
      }
      return text;
    },
  };
}

/** Digest of what makes a tool the tool that people reviewed; members that are absent stay absent. Throws NotCanonical. */
export function toolHash(definition: ToolDefinition, digest: (text: string) => string): string {
  const { name, title, description, inputSchema, outputSchema, annotations } = definition as Readonly<Record<string, unknown>>;
  return digest(canonicalJson({ name, title, description, inputSchema, outputSchema, annotations }, MAX_SEALED_DEPTH));
}
