import type { ApprovalView } from '../desk/approval-view.ts';

/** Why somebody is told about an approval. */
export type MessageKind =
  /** The people of a step are asked, for the first time or anew after an edit. */
  | 'asked'
  | 'reminded'
  /** Asked as well, because nobody decided in time. */
  | 'escalated'
  /** Asked in place of somebody. */
  | 'delegated'
  /** Somebody broke the glass; everybody of the flow hears of it. */
  | 'broke_glass';

/** Whom a message is for: a place where several read, or one person. */
export type Recipient =
  | { readonly kind: 'room'; readonly name: string }
  | { readonly kind: 'person'; readonly user: string; readonly email: string | null };

export interface Message {
  /** Of this message; the same when it is sent again after a crash. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: MessageKind;
  readonly recipient: Recipient;
  /** The approval as it is now. */
  readonly view: ApprovalView;
  /** Index of the step it is about. */
  readonly step: number;
  /** The arguments as people may see them outside: redacted, shortened, one line for each member; empty when nothing is shown. */
  readonly summary: readonly string[];
  /** The page where it is decided. */
  readonly link: string;
}

/**
 * A way to tell people: one for each kind of channel. It is asked for one message at a time, by a job that tries again.
 *
 * A rejection says that nothing arrived, and that it may be tried again, unless it is JobHopeless (this message will never get through),
 * JobPostponed (not now, but after a while) or {@link DeliveryInDoubt}. What was begun and whose end nobody saw is not sent again unless
 * `find` says that it did not arrive.
 */
export interface MessageChannel {
  /** As flows name it: `email`, or the part of `slack:#room` before the colon. */
  readonly name: string;
  /** Whether it reaches this recipient at all. */
  reaches(recipient: Recipient): boolean;
  /** Tells; resolves with a reference by which the message can be changed, null when it cannot. */
  send(message: Message): Promise<string | null>;
  /** Puts what is so now in place of what was told. Absent where nothing can be changed any more. */
  update?(reference: string, message: Message): Promise<void>;
  /** The reference of a message that may have arrived; null when it did not, undefined when nobody can tell. Absent where nobody ever can. */
  find?(message: Message): Promise<string | null | undefined>;
}
export const MessageChannel = Symbol('MessageChannel');

/** Thrown by a channel that cannot tell whether the message arrived. */
export class DeliveryInDoubt extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'DeliveryInDoubt';
  }
}
