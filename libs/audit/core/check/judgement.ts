/** The invariants that a history is judged by. */
export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I7';

/** What an event says against an invariant; a note is nothing wrong, but something a reader should know. */
export interface Judgement {
  readonly invariant: InvariantId | 'note';
  readonly sentence: string;
}

/** Takes a judgement to the report. One event may be wrong in more than one way. */
export type Say = (invariant: Judgement['invariant'], sentence: string) => void;
