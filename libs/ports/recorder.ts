import type { EventDraft } from '#libs/contracts';

/**
 * Turns drafts into events and gets them into the journal: gives ids, times, dense sequence numbers and the hash chain per
 * tenant, seals values, and batches naturally (while one append is in flight the next batch collects).
 */
export interface Recorder {
  /** This process instance: the `producer.id` of its events. */
  readonly instance: string;
  /** Whether the journal takes events, as far as is known. */
  readonly healthy: boolean;

  /**
   * Makes the events and resolves when they are durable. All drafts of one call stand together and in order.
   *
   * Throws {@link RecorderRefusal} before anything is queued when the queue is full, the journal is known to be down, or the recorder
   * stopped: nothing happened.
   * Throws {@link RecorderTimeout} when `timeoutMs` passed first: the events stay queued and will become durable, in order, when
   * the journal takes them; the caller must treat them as written, and say what it did about it in a further event.
   */
  record(drafts: readonly EventDraft[], options?: RecordOptions): Promise<readonly Recorded[]>;
}
export const Recorder = Symbol('Recorder');

export interface RecordOptions {
  readonly timeoutMs?: number;
  /**
   * The fact has already happened (an outcome): it is never refused for a full queue, and when the time-out passes the whole queue
   * is on the local disk (synced) before {@link RecorderTimeout} is thrown, so that no crash can lose it.
   */
  readonly mustKeep?: boolean;
}

export interface Recorded {
  readonly id: string;
  readonly position: bigint;
}

export class RecorderRefusal extends Error {
  constructor(readonly reason: 'full' | 'down' | 'stopped') {
    super(`the recorder takes no more events: ${reason}`);
    this.name = 'RecorderRefusal';
  }
}

export class RecorderTimeout extends Error {
  constructor() {
    super('the events are not durable yet');
    this.name = 'RecorderTimeout';
  }
}
