export type ChangingList = 'tools' | 'prompts';

const MAX_LISTENERS = 1_000;

/** What changes while the server runs: one tool and one prompt that come and go. Each instance of the server describes its current state. */
export class Catalogue {
  private readonly present = new Set<ChangingList>();
  private readonly listeners = new Set<(list: ChangingList) => void>();

  has(list: ChangingList): boolean {
    return this.present.has(list);
  }

  toggle(list: ChangingList): void {
    if (!this.present.delete(list)) this.present.add(list);
    for (const listener of this.listeners) listener(list);
  }

  /** Returns how to stop listening. */
  onChange(listener: (list: ChangingList) => void): () => void {
    if (this.listeners.size >= MAX_LISTENERS) throw new Error('too many listeners of the catalogue');
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
