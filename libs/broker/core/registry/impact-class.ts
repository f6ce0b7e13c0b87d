import type { ImpactClass, ServerConfig } from '#libs/contracts';
import type { ToolDefinition } from '../upstream/upstreams.ts';

/**
 * A tool's impact class: what the configuration says, or else `external`, the class with the strictest controls. A server's own
 * annotations are hints from the party that is being judged, so they never make a tool look safer than it may be, except where the
 * configuration trusts the server without pinning (`trust: open`, for demonstrations).
 */
export function impactClass(server: Pick<ServerConfig, 'tools' | 'trust'>, tool: ToolDefinition): ImpactClass {
  const configured = Object.hasOwn(server.tools, tool.name) ? server.tools[tool.name]?.class : undefined;
  if (configured) return configured;
  if (server.trust === 'open' && annotations(tool)['readOnlyHint'] === true) return 'read';
  return 'external';
}

function annotations(tool: ToolDefinition): Readonly<Record<string, unknown>> {
  const value = tool['annotations'];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
