import { type JsonObject, type UpstreamCall, withMember } from '#libs/broker/core';
import { envelope } from './handshake.ts';
import { requestText } from './rpc.ts';

/** The text of a call as its server gets it: the client's params as they are, with a `_meta` of this hop. */
export class CallText {
  private readonly bare: string;

  constructor(private readonly clientInfo: { readonly name: string; readonly version: string }) {
    this.bare = JSON.stringify(envelope(clientInfo));
  }

  of(era: 'legacy' | 'modern', { requestId, method, params, meta, client }: UpstreamCall): string {
    const text = this.meta(era, requestId, meta, client);
    return requestText(requestId, method, text === undefined ? params : withMember(params, '_meta', text));
  }

  private meta(era: 'legacy' | 'modern', requestId: string, meta: JsonObject, client: UpstreamCall['client']): string | undefined {
    const own = Object.keys(meta).length > 0;
    const progress = client?.wantsProgress === true ? { progressToken: requestId } : undefined;
    if (era === 'legacy') return own || progress ? JSON.stringify({ ...meta, ...progress }) : undefined;
    if (!own && !client) return this.bare;
    return JSON.stringify({ ...meta, ...progress, ...envelope(this.clientInfo, client) });
  }
}
