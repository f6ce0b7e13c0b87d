/** The way back to the client of one HTTP request, for as long as it is open. */
export interface Channel {
  /** Whether the client takes an event stream as an answer. */
  readonly streams: boolean;
  /** Begins the event stream, so that the client knows that it stands. */
  open(): void;
  /**
   * One JSON-RPC message as an event; the first one begins the stream. False when it cannot reach the client: it takes no streams, is
   * gone, or reads so slowly that the stream was given up.
   */
  send(message: string): boolean;
  /** Called once when the client goes away before its answer was written. Returns how to stop listening. */
  onGone(listener: () => void): () => void;
}

/** For requests that are answered by one plain body. */
export const NO_CHANNEL: Channel = { streams: false, open: () => undefined, send: () => false, onGone: () => () => undefined };

export function notification(method: string, params: string): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}}`;
}

/** Waits until the client is gone or somebody ends the stream. */
export function held(channel: Channel, onEnd: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const forget = channel.onGone(resolve);
    onEnd(() => {
      forget();
      resolve();
    });
  });
}
