import type { EventId, EventStore, JSONRPCMessage, StreamId } from '@modelcontextprotocol/server';

const MAX_EVENTS = 1_000;

interface Event {
  readonly stream: StreamId;
  readonly message: JSONRPCMessage;
}

/** The latest events of one session, so that a client whose stream was closed can ask for what it missed. */
export class EventHistory implements EventStore {
  private readonly events = new Map<EventId, Event>();
  private lastEvent = 0;

  async storeEvent(stream: StreamId, message: JSONRPCMessage): Promise<EventId> {
    const id = String(++this.lastEvent);
    this.events.set(id, { stream, message });
    if (this.events.size > MAX_EVENTS) this.events.delete(String(this.lastEvent - MAX_EVENTS));
    return id;
  }

  async getStreamIdForEventId(id: EventId): Promise<StreamId | undefined> {
    return this.events.get(id)?.stream;
  }

  async replayEventsAfter(last: EventId, { send }: { send: (id: EventId, message: JSONRPCMessage) => Promise<void> }): Promise<StreamId> {
    const stream = this.events.get(last)?.stream;
    if (stream === undefined) throw new Error('no such event');
    let after = false;
    for (const [id, event] of this.events) {
      // What primed the stream has no method and no result: it is a place to resume from, not a message.
      if (after && event.stream === stream && Object.keys(event.message).length > 0) await send(id, event.message);
      after ||= id === last;
    }
    return stream;
  }
}
