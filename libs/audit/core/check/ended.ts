/** Ended things that are remembered, so that what comes after their end is called by its name; beyond, the oldest are forgotten. */
const MAX_ENDED = 50_000;

/** What has ended, by its id: a fixed number, the latest. */
export class Ended<T> {
  private readonly known = new Map<string, T>();

  get(id: string): T | undefined {
    return this.known.get(id);
  }

  set(id: string, value: T): void {
    this.known.set(id, value);
    if (this.known.size <= MAX_ENDED) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }

  delete(id: string): void {
    this.known.delete(id);
  }
}
