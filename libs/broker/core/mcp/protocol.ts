/** What this edge speaks. The legacy era opens sessions with `initialize`; the modern one names its version in every request. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26'];
export const MODERN_VERSION = '2026-07-28';
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];

/** Versions are dates, so their order is the order of text. */
export function isModern(version: string): boolean {
  return version >= MODERN_VERSION;
}

export const META_PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
export const META_CLIENT_INFO = 'io.modelcontextprotocol/clientInfo';
export const META_CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const META_SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
export const META_SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
/** `_meta` members with these prefixes belong to the protocol and to Holdfast, one hop at a time. */
export const META_PROTOCOL_PREFIX = 'io.modelcontextprotocol/';
export const META_OWN_PREFIX = 'dev.holdfast/';

/** From the quietest a client can ask for to the loudest. */
const LOG_LEVELS: readonly unknown[] = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'];

export function isLogLevel(level: unknown): level is string {
  return LOG_LEVELS.includes(level);
}

/** Whether a message of one level is wanted by somebody who asked for another one and everything above it. */
export function loudEnough(level: unknown, wanted: string): boolean {
  const at = LOG_LEVELS.indexOf(level);
  return at === -1 || at <= LOG_LEVELS.indexOf(wanted);
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON-RPC id as MCP has it. */
export type RpcId = string | number;

export function isRpcId(value: unknown): value is RpcId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value));
}
