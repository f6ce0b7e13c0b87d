import type { Detector } from '#libs/contracts';
import { detectors, type Span } from './detectors.ts';

export interface Redacted<T> {
  readonly value: T;
  /** How many values were hidden. */
  readonly hidden: number;
}

/** Whoever gives a member such a name says what it holds. */
const SECRET_NAMES = new Set(['password', 'passwd', 'passphrase', 'secret', 'token', 'apikey', 'authorization', 'credential', 'credentials', 'privatekey', 'accesstoken', 'refreshtoken', 'clientsecret', 'accesskey', 'cookie', 'pin', 'cvc', 'cvv']);

/** A text without the values of these kinds; each leaves a word of what it was. */
export function redactText(text: string, kinds: readonly Detector[]): Redacted<string> {
  const spans = kinds.flatMap((kind) => detectors[kind](text).map((span) => ({ ...span, kind }))).sort((a, b) => a.from - b.from || b.to - a.to);
  const parts: string[] = [];
  let done = 0;
  let hidden = 0;
  let last: Span | undefined;
  for (const { from, to, kind } of spans) {
    // What overlaps is hidden as one.
    if (last && from < last.to) {
      if (to > last.to) {
        last = { from: last.from, to };
        done = to;
      }
      continue;
    }
    parts.push(text.slice(done, from), `[${kind} hidden]`);
    last = { from, to };
    done = to;
    hidden++;
  }
  return hidden === 0 ? { value: text, hidden } : { value: parts.join('') + text.slice(done), hidden };
}

/** A JSON value without the values of these kinds, in texts, numbers and names of members. Its depth is that of what a call may carry. */
export function redact(value: unknown, kinds: readonly Detector[]): Redacted<unknown> {
  if (kinds.length === 0) return { value, hidden: 0 };
  let hidden = 0;
  const text = (given: string): string => {
    const redacted = redactText(given, kinds);
    hidden += redacted.hidden;
    return redacted.value;
  };
  const visit = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given);
    if (typeof given === 'number') {
      const shown = text(String(given));
      return shown === String(given) ? given : shown;
    }
    if (Array.isArray(given)) return given.map(visit);
    if (typeof given !== 'object' || given === null) return given;
    const entries = new Map<string, unknown>();
    for (const [name, member] of Object.entries(given)) {
      let key = text(name);
      for (let n = 2; entries.has(key); n++) key = `${text(name)} (${n})`;
      const secret = kinds.includes('secret') && SECRET_NAMES.has(name.toLowerCase().replaceAll(/[_\-. ]/g, '')) && (typeof member === 'string' || typeof member === 'number') && member !== '';
      if (secret) hidden++;
      entries.set(key, secret ? '[secret hidden]' : visit(member));
    }
    return Object.fromEntries(entries);
  };
  return { value: visit(value), hidden };
}
