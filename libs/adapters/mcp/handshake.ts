import {
  isObject,
  type JsonObject,
  LEGACY_VERSIONS,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  META_SERVER_INFO,
  MODERN_VERSION,
  type UpstreamClient,
  type UpstreamDescription,
} from '#libs/broker/core';
import type { ConnectionOptions } from './connection.ts';
import { writable } from './depth.ts';

type ClientInfo = ConnectionOptions['clientInfo'];

/** The protocol's part of `_meta` in a request to a server of the 2026 era. */
export function envelope(clientInfo: ClientInfo, client?: UpstreamClient): JsonObject {
  return {
    ...client?.protocolMeta,
    [META_PROTOCOL_VERSION]: MODERN_VERSION,
    [META_CLIENT_INFO]: clientInfo,
    [META_CLIENT_CAPABILITIES]: client?.capabilities ?? {},
  };
}

export function initializeParams(clientInfo: ClientInfo, capabilities: JsonObject): JsonObject {
  return { protocolVersion: LEGACY_VERSIONS[0], capabilities, clientInfo };
}

/** What a server of the 2026 era says of itself; undefined when the answer to `server/discover` says that it is none. */
export function readDiscovered(result: JsonObject | undefined): UpstreamDescription | undefined {
  const versions = result?.['supportedVersions'];
  if (!Array.isArray(versions) || !versions.includes(MODERN_VERSION)) return undefined;
  const meta = result!['_meta'];
  const info = isObject(meta) ? meta[META_SERVER_INFO] : undefined;
  return described('modern', MODERN_VERSION, { serverInfo: info, ...result });
}

/** Undefined when the answer to `initialize` is none. */
export function readInitialized(result: JsonObject | undefined): UpstreamDescription | undefined {
  const protocol = result?.['protocolVersion'];
  if (typeof protocol !== 'string' || !/^[0-9-]{1,32}$/.test(protocol)) return undefined;
  return described('legacy', protocol, result!);
}

function described(era: 'legacy' | 'modern', protocol: string, said: JsonObject): UpstreamDescription {
  const { capabilities, serverInfo, instructions } = said;
  return {
    era,
    protocol,
    capabilities: isObject(capabilities) && writable(capabilities) ? capabilities : {},
    serverInfo: isObject(serverInfo) && writable(serverInfo) ? serverInfo : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  };
}
