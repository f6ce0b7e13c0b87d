import { isObject, type JsonObject } from './protocol.ts';

/** What `/mcp` says that it can do: each server behind it may have any of it. */
export const ALL_CAPABILITIES: JsonObject = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
};

export const TASKS = 'io.modelcontextprotocol/tasks';

/** The part of a server's capabilities that is relayed; nothing is announced that would then be refused. */
export function relayedCapabilities(of: JsonObject): JsonObject {
  const relayed: Record<string, unknown> = {};
  for (const key of Object.keys(ALL_CAPABILITIES)) if (of[key] !== undefined) relayed[key] = of[key];
  const extensions = withoutTasks(of['extensions']);
  if (extensions) relayed['extensions'] = extensions;
  return relayed;
}

/** What a server may know of a client's capabilities: those that reach the client through here. */
export function clientCapabilities(of: unknown): JsonObject {
  if (!isObject(of)) return {};
  const relayed: Record<string, unknown> = {};
  for (const key of ['elicitation', 'sampling', 'roots']) if (isObject(of[key])) relayed[key] = of[key];
  const extensions = withoutTasks(of['extensions']);
  if (extensions) relayed['extensions'] = extensions;
  return relayed;
}

/** Whether a client says with a request that it can follow a task. */
export function followsTasks(capabilities: unknown): boolean {
  if (!isObject(capabilities)) return false;
  const { extensions } = capabilities;
  return isObject(extensions) && isObject(extensions[TASKS]);
}

/** A server's capabilities and tasks, which are Holdfast's own. */
export function withTasks(of: JsonObject): JsonObject {
  const { extensions } = of;
  return { ...of, extensions: { ...(isObject(extensions) ? extensions : {}), [TASKS]: {} } };
}

/** What is missing where a client would have to follow tasks, in the protocol's words. */
export const NEEDS_TASKS: JsonObject = { requiredCapabilities: { extensions: { [TASKS]: {} } } };

/** Tasks of servers are followed with requests of their own, which are not relayed. */
function withoutTasks(extensions: unknown): JsonObject | undefined {
  if (!isObject(extensions)) return undefined;
  const rest = Object.fromEntries(Object.entries(extensions).filter(([name]) => name !== TASKS));
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** What a client must have declared to be asked for something. */
const ASKABLE: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

export function canBeAsked(capabilities: JsonObject, method: string): boolean {
  return Object.hasOwn(ASKABLE, method) && Object.hasOwn(capabilities, ASKABLE[method]!);
}

/** Whether a client with these capabilities can be asked for anything at all. */
export function canBeAskedSomething(capabilities: JsonObject): boolean {
  return Object.keys(ASKABLE).some((method) => canBeAsked(capabilities, method));
}

/** Whether a flag of a capability is set, as `has(capabilities, 'resources', 'subscribe')`. */
export function has(capabilities: JsonObject, capability: string, flag: string): boolean {
  const value = capabilities[capability];
  return isObject(value) && value[flag] === true;
}
