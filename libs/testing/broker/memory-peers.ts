import type { Peers } from '#libs/ports';

/** {@link Peers} in memory: everybody who joined hears what the others tell, a turn later. */
export class MemoryPeers {
  readonly told: string[] = [];
  private readonly members: { listener?: (word: string) => void }[] = [];

  join(): Peers {
    const member: { listener?: (word: string) => void } = {};
    this.members.push(member);
    return {
      tell: (word) => {
        this.told.push(word);
        for (const other of this.members) if (other !== member) setImmediate(() => other.listener?.(word));
      },
      hear: (listener) => {
        member.listener = listener;
      },
    };
  }
}
