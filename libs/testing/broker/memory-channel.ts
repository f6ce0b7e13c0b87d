import type { Channel } from '#libs/broker/core';

interface Message {
  readonly id?: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A {@link Channel} that keeps what was sent; `leave` is the client hanging up. */
export class MemoryChannel implements Channel {
  readonly sent: Message[] = [];
  begun = false;
  private readonly leaving = new Set<() => void>();
  private left = false;

  constructor(readonly streams = true) {}

  open(): void {
    this.begun = true;
  }

  send(message: string): boolean {
    if (!this.streams || this.left) return false;
    this.begun = true;
    this.sent.push(JSON.parse(message) as Message);
    return true;
  }

  onGone(listener: () => void): () => void {
    this.leaving.add(listener);
    return () => this.leaving.delete(listener);
  }

  leave(): void {
    this.left = true;
    for (const listener of this.leaving) listener();
  }

  /** Somebody still wants to hear when the client leaves. */
  get heeded(): boolean {
    return this.leaving.size > 0;
  }

  methods(): string[] {
    return this.sent.map(({ method }) => method ?? 'answer');
  }
}
