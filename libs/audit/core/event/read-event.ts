import { catalogue, type EventData, Envelope, type HoldfastEvent, isEventType, MAX_EVENT_BYTES } from '#libs/contracts';
import { ENVELOPE_DEPTH } from '../event-bytes.ts';
import { isCanonical } from './is-canonical.ts';

export type RejectReason = EventData<'log.event_rejected'>['reason'];

export type EventReading = { readonly event: HoldfastEvent; readonly seq: number } | { readonly rejected: RejectReason };

/** Identifiers that become keys of the read model; longer ones, or ones with a NUL, could not be stored. */
const MAX_CALL_ID = 128;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Whether these bytes are an event of the catalogue in canonical form, and what it says. Depends on the bytes alone, so every
 * reading of a log, live or later, judges alike.
 */
export function readEvent(bytes: Uint8Array): EventReading {
  if (bytes.length > MAX_EVENT_BYTES) return { rejected: 'too_large' };
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    value = JSON.parse(text);
    if (!isCanonical(text, value, ENVELOPE_DEPTH)) return { rejected: 'not_canonical' };
  } catch {
    return { rejected: 'malformed' };
  }
  const envelope = Envelope.safeParse(value);
  if (!envelope.success) return { rejected: 'invalid' };
  const { type, sv, time, producer, links, sealed } = envelope.data;
  if (!isEventType(type) || catalogue[type].version !== sv) return { rejected: 'unknown_type' };
  const definition = catalogue[type];
  const seq = Number(producer.seq);
  const sound =
    definition.data.safeParse(envelope.data.data).success &&
    Object.keys(sealed).every((path) => (definition.sealed as readonly string[]).includes(path)) &&
    Number.isSafeInteger(seq) && seq >= 1 && (seq === 1) === (producer.prev === '') &&
    isInstant(time) &&
    (links.call === undefined || isCallId(links.call));
  return sound ? { event: envelope.data as HoldfastEvent, seq } : { rejected: 'invalid' };
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The envelope's pattern lets 31 February and 25 o'clock through, and a database would not. By hand: Date takes longer than the hash. */
function isInstant(time: string): boolean {
  const part = (from: number, to: number): number => Number(time.slice(from, to));
  const [year, month, day] = [part(0, 4), part(5, 7), part(8, 10)];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
  return year >= 1 && day >= 1 && day <= days && part(11, 13) < 24 && part(14, 16) < 60 && part(17, 19) < 60;
}

function isCallId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_CALL_ID && !id.includes('\u0000');
}
