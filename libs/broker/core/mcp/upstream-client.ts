import type { Principal } from '#libs/ports';
import type { UpstreamClient } from '../upstream/upstreams.ts';
import type { CallMeta } from './call-meta.ts';
import { type Channel, notification } from './channel.ts';
import { memberText, withMembers } from './json-text.ts';
import type { LiveSession } from './live-sessions.ts';
import { type JsonObject, loudEnough, META_LOG_LEVEL } from './protocol.ts';
import type { Session } from './sessions.ts';

/** A session, what is kept for it, and names for questions to its client. */
export interface LegacyClient {
  readonly session: Session;
  readonly live: LiveSession;
  readonly newId: () => string;
}

/** A client may say megabytes of itself, which would be remembered as the name of its session. */
const MAX_ABLE = 200;

/** Servers of the older era know a client by its session: one for each credential and what it can do there. */
export function conversationOf({ tenant, key }: Principal, capabilities: JsonObject, digest: (text: string) => string): string {
  const able = JSON.stringify(capabilities);
  return `stateless ${tenant} ${key} ${able.length > MAX_ABLE ? digest(able) : able}`;
}

/** The client of one request, for its server: what it can do, and the way to it while the request is open. */
export function clientOf(channel: Channel, said: Pick<CallMeta, 'progressToken' | 'protocol'>, capabilities: JsonObject, legacy: LegacyClient | undefined): UpstreamClient {
  const level = legacy ? legacy.live.logLevel : said.protocol[META_LOG_LEVEL];
  const token = said.progressToken;
  const client: UpstreamClient = {
    conversation: legacy?.session.id,
    capabilities,
    protocolMeta: legacy ? (level === undefined ? {} : { [META_LOG_LEVEL]: level }) : said.protocol,
    wantsProgress: token !== undefined,
    notify: (method, params) => {
      if (!channel.streams) return;
      if (method === 'notifications/progress') {
        if (token !== undefined) channel.send(notification(method, withMembers(params, { progressToken: JSON.stringify(token) })));
        return;
      }
      // A modern client hears of logs when it asked to; a legacy one until it said how much of them it wants.
      if (method === 'notifications/message' && !(typeof level === 'string' ? loudEnough(levelOf(params), level) : legacy)) return;
      channel.send(notification(method, params));
    },
  };
  if (!legacy) return client;
  return { ...client, ask: (request, cancellation) => legacy.live.ask(legacy.newId(), request, channel, cancellation) };
}

function levelOf(params: string): unknown {
  const text = memberText(params, 'level');
  return text === undefined ? undefined : JSON.parse(text);
}
