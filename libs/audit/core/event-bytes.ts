import { canonicalJson, type Envelope, MAX_EVENT_BYTES } from '#libs/contracts';

/** The event is larger than a log entry may be; large values belong sealed beside it. */
export class EventTooLarge extends Error {
  constructor(
    readonly type: string,
    readonly size: number,
  ) {
    super(`event ${type} has ${size} bytes, more than ${MAX_EVENT_BYTES}`);
    this.name = 'EventTooLarge';
  }
}

/** Depth of an envelope: the object itself, `data`, and what `data` may hold. */
export const ENVELOPE_DEPTH = 34;

/** The bytes of an event: the RFC 8785 form of its envelope. */
export function encodeEvent(envelope: Envelope): Uint8Array {
  const bytes = Buffer.from(canonicalJson(envelope, ENVELOPE_DEPTH));
  if (bytes.length > MAX_EVENT_BYTES) throw new EventTooLarge(envelope.type, bytes.length);
  return bytes;
}
