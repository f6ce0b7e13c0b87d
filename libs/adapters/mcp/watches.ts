import type { UpstreamAnswer } from '#libs/broker/core';
import { NOTHING } from './connection.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface WatchEvents {
  /** The server as it is reached now; servers of the 2026 era have subscriptions, older ones are asked. Throws when it cannot be reached. */
  readonly link: () => Promise<{ readonly subscriptions: Subscriptions | undefined }>;
  readonly request: (method: string, params: string) => Promise<UpstreamAnswer>;
}

const MAX_WATCHED = 10_000;
const TOO_MANY: UpstreamAnswer = {
  kind: 'error',
  text: JSON.stringify({ code: -32603, message: `More than ${MAX_WATCHED} resources are watched.` }),
};

/** Which resources of a server are watched; it outlives connections and sessions. */
export class Watches {
  readonly uris = new Set<string>();

  constructor(private readonly events: WatchEvents) {}

  async watch(uri: string): Promise<UpstreamAnswer> {
    if (this.uris.has(uri)) return NOTHING;
    if (this.uris.size >= MAX_WATCHED) return TOO_MANY;
    let subscriptions: Subscriptions | undefined;
    try {
      ({ subscriptions } = await this.events.link());
    } catch {
      return { kind: 'not_sent', reason: 'unreachable' };
    }
    if (subscriptions) {
      this.uris.add(uri);
      return subscriptions.watch(uri);
    }
    const answer = await this.ask('resources/subscribe', uri);
    if (answer.kind === 'result') this.uris.add(uri);
    return answer;
  }

  async unwatch(uri: string): Promise<UpstreamAnswer> {
    if (!this.uris.delete(uri)) return NOTHING;
    try {
      const { subscriptions } = await this.events.link();
      return subscriptions ? await subscriptions.unwatch() : await this.ask('resources/unsubscribe', uri);
    } catch {
      return NOTHING;
    }
  }

  /** A server of the older era knows nothing of them in a new session. */
  async again(): Promise<void> {
    for (const uri of this.uris) if (this.uris.has(uri)) await this.ask('resources/subscribe', uri);
  }

  private ask(method: string, uri: string): Promise<UpstreamAnswer> {
    return this.events.request(method, JSON.stringify({ uri }));
  }
}
