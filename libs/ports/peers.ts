/**
 * Word between the broker processes of one installation: a client's requests may arrive at any of them, and some are about what another
 * one is doing. Best effort, in the order of the teller; a word that is lost costs comfort and never safety.
 */
export interface Peers {
  /** Told to every other process; dropped when there is none, when it is too large, or when the way is broken. */
  tell(word: string): void;
  /** Hears what the others tell, and never what this process told. One listener. */
  hear(listener: (word: string) => void): void;
}
export const Peers = Symbol('Peers');
