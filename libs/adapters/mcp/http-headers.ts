import { encodeHeader, MODERN_VERSION, type UpstreamCall } from '#libs/broker/core';

export const POST_HEADERS = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];
export const MODERN_HEADERS = ['mcp-protocol-version', MODERN_VERSION];

/** What a server of the 2026 era wants to see beside the body. */
export function modernHeaders({ method, named, paramHeaders }: UpstreamCall): string[] {
  return [...MODERN_HEADERS, 'mcp-method', method, ...(named === undefined ? [] : ['mcp-name', encodeHeader(named)]), ...Object.entries(paramHeaders).flat()];
}
