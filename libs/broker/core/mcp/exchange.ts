import type { Principal } from '#libs/ports';
import type { View } from '../registry/visible.ts';
import type { Channel } from './channel.ts';
import type { HeaderOf, Inbound } from './classify.ts';
import type { Session } from './sessions.ts';

/** An HTTP request to an MCP path, after Host, Origin and credentials were checked. */
export interface McpRequest {
  readonly method: string;
  /** The server's id for `/mcp/s/<server>`, undefined for `/mcp`. */
  readonly server: string | undefined;
  readonly header: HeaderOf;
  readonly body: string;
  readonly principal: Principal;
  readonly ip: string | undefined;
  readonly channel: Channel;
}

export type RpcRequest = Extract<Inbound, { kind: 'request' }>;

/** What is known of a message before its method is looked at. */
export interface Exchange {
  readonly request: McpRequest;
  readonly view: View;
  /** Absent in the modern era and before `initialize`. */
  readonly session: Session | undefined;
  readonly receivedUs: number;
}
