import { Refusal } from '#libs/contracts';
import { errorReply, type Hosts } from '#libs/broker/core';
import type { FastifyReplyLike, FastifyRequestLike, FastifyScope } from './mcp-routes.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Where clients reach this broker: as configured, or by the name that they just used and that was found to be ours. */
export function baseUrl(publicUrl: string | undefined, host: string): string {
  return publicUrl ?? `http://${host}`;
}

export function metadataUrl(base: string, path: string): string {
  return `${base}${WELL_KNOWN}${encodeURI(path)}`;
}

/** RFC 9728 metadata for each MCP path. The same for everybody: it does not tell which servers exist. */
export function registerResourceMetadata(scope: FastifyScope, hosts: Hosts, publicUrl: string | undefined): void {
  const handler = (request: FastifyRequestLike, reply: FastifyReplyLike): FastifyReplyLike => {
    const host = request.headers['host'];
    if (typeof host !== 'string' || !hosts.servesHost(host)) {
      const { status, headers, body } = errorReply(new Refusal('host_denied'), null);
      return reply.code(status).headers(headers).send(body);
    }
    const { server } = request.params;
    const resource = `${baseUrl(publicUrl, host)}/mcp${server === undefined ? '' : `/s/${encodeURIComponent(server)}`}`;
    const metadata = { resource, resource_name: 'Holdfast', bearer_methods_supported: ['header'] };
    return reply
      .code(200)
      .headers({ 'content-type': 'application/json', 'access-control-allow-origin': '*' })
      .send(JSON.stringify(metadata));
  };
  for (const url of [WELL_KNOWN, `${WELL_KNOWN}/mcp`, `${WELL_KNOWN}/mcp/s/:server`]) scope.route({ method: 'GET', url, handler });
}
