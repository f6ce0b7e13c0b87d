import { Refusal } from '#libs/contracts';
import { short } from '../call/call-drafts.ts';
import { decodeHeader } from './param-headers.ts';
import {
  isModern,
  isObject,
  isRpcId,
  type JsonObject,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  MODERN_VERSIONS,
  type RpcId,
} from './protocol.ts';

/** A header of the request by its lower-case name; undefined when it is absent. */
export type HeaderOf = (name: string) => string | undefined;

/** One incoming message and the era it belongs to. */
export type Inbound =
  | {
      readonly kind: 'request';
      readonly era: 'legacy' | 'modern';
      readonly id: RpcId;
      readonly method: string;
      readonly params: JsonObject;
      readonly version: string | undefined;
    }
  | { readonly kind: 'notification'; readonly era: 'legacy' | 'modern'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'response'; readonly id: RpcId };

/** Which member of `params` the `Mcp-Name` header repeats. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * Tells the era of a message by its body: a request that claims a protocol version in `_meta` is modern, `initialize` and anything
 * without a claim is legacy. Headers never change the era; where they contradict the body, the request is refused, because somebody
 * between client and broker may have decided by the headers. Throws a Refusal with the JSON-RPC error to answer.
 */
export function classify(body: unknown, header: HeaderOf): Inbound {
  if (Array.isArray(body)) throw new Refusal('batch_not_supported');
  if (!isObject(body) || body['jsonrpc'] !== '2.0') throw new Refusal('invalid_request');
  const { method, id } = body;
  // Two readers could take it for two different things.
  if (method !== undefined && ('result' in body || 'error' in body)) throw new Refusal('invalid_request');
  if (typeof method !== 'string') {
    if (isRpcId(id) && ('result' in body || 'error' in body)) return { kind: 'response', id };
    throw new Refusal('invalid_request');
  }
  const params = body['params'];
  if (params !== undefined && !isObject(params)) throw new Refusal('invalid_params', 'params must be an object');
  if (id === undefined) return notification(method, params, header);
  if (!isRpcId(id)) throw new Refusal('invalid_request', 'id must be a string or an integer');
  return request(id, method, params ?? {}, header);
}

function request(id: RpcId, method: string, params: JsonObject, header: HeaderOf): Inbound {
  const meta = metaOf(params);
  const claimed = meta?.[META_PROTOCOL_VERSION];
  const version = header('mcp-protocol-version')?.trim();
  const namesModern = version !== undefined && isModern(version);
  if (method === 'initialize' && !(typeof claimed === 'string' && isModern(claimed) && envelopeProblem(meta!) === undefined)) {
    if (namesModern) throw mismatch('initialize belongs to protocol versions before the one that MCP-Protocol-Version names');
    return { kind: 'request', era: 'legacy', id, method, params, version };
  }
  if (meta === undefined || !(META_PROTOCOL_VERSION in meta)) {
    if (namesModern)
      throw new Refusal(
        'invalid_params',
        `MCP-Protocol-Version names ${MODERN_VERSIONS[0]} or later, but params._meta lacks ${META_PROTOCOL_VERSION}`,
      );
    return { kind: 'request', era: 'legacy', id, method, params, version };
  }
  const problem = envelopeProblem(meta);
  if (problem !== undefined) throw new Refusal('invalid_params', problem);
  if (version !== undefined && version !== claimed) throw mismatch(`MCP-Protocol-Version and ${META_PROTOCOL_VERSION} differ`);
  const named = header('mcp-method')?.trim();
  if (named !== undefined && named !== method) throw mismatch('Mcp-Method and the method of the body differ');
  if (!MODERN_VERSIONS.includes(claimed as string))
    throw unsupported(claimed as string);
  if (version === undefined) throw mismatch('MCP-Protocol-Version is missing');
  if (named === undefined) throw mismatch('Mcp-Method is missing');
  checkName(method, params, header);
  return { kind: 'request', era: 'modern', id, method, params, version: claimed as string };
}

function notification(method: string, params: JsonObject | undefined, header: HeaderOf): Inbound {
  const claimed = params === undefined ? undefined : metaOf(params)?.[META_PROTOCOL_VERSION];
  const version = header('mcp-protocol-version')?.trim();
  if (claimed !== undefined && typeof claimed !== 'string')
    throw new Refusal('invalid_params', `${META_PROTOCOL_VERSION} must be a string`);
  if (claimed !== undefined && version !== undefined && claimed !== version)
    throw mismatch(`MCP-Protocol-Version and ${META_PROTOCOL_VERSION} differ`);
  const named = claimed ?? version;
  if (named === undefined || !isModern(named)) return { kind: 'notification', era: 'legacy', method, params: params ?? {} };
  if (!MODERN_VERSIONS.includes(named)) throw unsupported(named);
  const headerMethod = header('mcp-method')?.trim();
  if (headerMethod !== undefined && headerMethod !== method) throw mismatch('Mcp-Method and the method of the body differ');
  return { kind: 'notification', era: 'modern', method, params: params ?? {} };
}

function checkName(method: string, params: JsonObject, header: HeaderOf): void {
  const member = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method]! : undefined;
  if (member === undefined) return;
  const value = params[member];
  const raw = header('mcp-name');
  if (raw === undefined) {
    if (typeof value === 'string') throw mismatch('Mcp-Name is missing');
    return;
  }
  const name = decodeHeader(raw);
  if (name === undefined) throw mismatch('Mcp-Name is not valid base64');
  if (typeof value === 'string' && name !== value) throw mismatch(`Mcp-Name and params.${member} differ`);
}

/** What is wrong with the members of `_meta` that every modern request carries. */
function envelopeProblem(meta: JsonObject): string | undefined {
  if (typeof meta[META_PROTOCOL_VERSION] !== 'string') return `${META_PROTOCOL_VERSION} must be a string`;
  if (!(META_CLIENT_CAPABILITIES in meta)) return `${META_CLIENT_CAPABILITIES} is missing`;
  if (!isObject(meta[META_CLIENT_CAPABILITIES])) return `${META_CLIENT_CAPABILITIES} must be an object`;
  const client = meta[META_CLIENT_INFO];
  if (client === undefined) return undefined;
  if (!isObject(client) || typeof client['name'] !== 'string' || typeof client['version'] !== 'string')
    return `${META_CLIENT_INFO} must have a name and a version`;
  return undefined;
}

export function metaOf(params: JsonObject): JsonObject | undefined {
  const meta = params['_meta'];
  return isObject(meta) ? meta : undefined;
}

function unsupported(version: string): Refusal {
  return new Refusal('unsupported_version', undefined, { supported: MODERN_VERSIONS, requested: short(version, 64) });
}

function mismatch(detail: string): Refusal {
  return new Refusal('header_mismatch', detail);
}
