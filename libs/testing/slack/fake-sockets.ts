import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketPeer } from './web-socket-server.ts';

type Json = Readonly<Record<string, unknown>>;

const ACK_MS = 3_000;

/** The connections of Socket Mode. */
export class FakeSockets {
  private readonly peers = new Set<WebSocketPeer>();
  private readonly waiting = new Map<string, (payload: Json) => void>();
  /** How many there ever were. */
  opened = 0;

  get open(): number {
    return this.peers.size;
  }

  accept(request: IncomingMessage, socket: Duplex): void {
    this.opened++;
    const peer: WebSocketPeer = new WebSocketPeer(request, socket, (text) => this.heard(text), () => this.peers.delete(peer));
    this.peers.add(peer);
    peer.send(JSON.stringify({ type: 'hello', num_connections: this.peers.size, connection_info: {} }));
  }

  /** Tells it over one connection, and waits as long as Slack does; null when nobody acknowledged it. */
  tell(type: 'interactive' | 'slash_commands', payload: Json): Promise<Json | null> {
    const [peer] = this.peers;
    if (!peer) return Promise.resolve(null);
    const id = randomUUID();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), ACK_MS);
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      peer.send(JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: true }));
    });
  }

  /** Slack moves its connections now and then, and says so. */
  refresh(): void {
    for (const peer of this.peers) peer.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
  }

  dropAll(): void {
    for (const peer of this.peers) peer.drop();
  }

  private heard(text: string): void {
    const { envelope_id: id, payload } = JSON.parse(text) as { envelope_id: string; payload?: Json };
    this.waiting.get(id)?.(payload ?? {});
    this.waiting.delete(id);
  }
}
