import { MAX_DEPTH, NotCanonical, pointerOf } from './canonical-json.ts';

/**
 * Parses JSON text and refuses what JSON.parse forgives: duplicate keys, lone surrogates, numbers whose value a double cannot
 * hold exactly enough to print it back, nesting beyond `maxDepth`. What it returns has one canonical form.
 * Throws {@link NotCanonical}; a syntax error has reason `not_json`.
 */
export function parseStrictJson(text: string, maxDepth: number = MAX_DEPTH): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new NotCanonical('not_json', '');
  }
  scan(text, maxDepth);
  return value;
}

interface Frame {
  /** Keys seen so far in an object; undefined in an array. */
  readonly keys: Set<string> | undefined;
  /** Where we are in it: the current key, or the current index. */
  at: string | number;
  /** In an object: the next string is a key. */
  expectsKey: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass over text that JSON.parse has already accepted, so only the strict extras need looking at. */
function scan(text: string, maxDepth: number): void {
  const frames: Frame[] = [];
  const here = (): string => pointerOf(frames.map((frame) => frame.at));
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    const top = frames[frames.length - 1];
    if (code === QUOTE) {
      const end = endOfString(text, i);
      const raw = text.slice(i, end);
      const value = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
      const isKey = top?.expectsKey === true;
      if (isKey) top.at = value;
      if (!value.isWellFormed()) throw new NotCanonical('lone_surrogate', here());
      if (isKey) {
        if (top.keys!.has(value)) throw new NotCanonical('duplicate_key', here());
        top.keys!.add(value);
        top.expectsKey = false;
      }
      i = end;
    } else if (code === 0x7b || code === 0x5b) {
      if (frames.length >= maxDepth) throw new NotCanonical('depth', here());
      frames.push(code === 0x7b ? { keys: new Set(), at: '', expectsKey: true } : { keys: undefined, at: 0, expectsKey: false });
      i++;
    } else if (code === 0x7d || code === 0x5d) {
      frames.pop();
      i++;
    } else if (code === 0x2c) {
      if (top!.keys) top!.expectsKey = true;
      else top!.at = (top!.at as number) + 1;
      i++;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      let end = i + 1;
      while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
      if (!roundTrips(text.slice(i, end))) throw new NotCanonical('number', here());
      i = end;
    } else {
      i++;
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (true) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
}

function isNumberPart(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d || code === 0x65 || code === 0x45;
}

/** True when the double nearest to the text prints back as the same decimal value (1.0 and 1e2 do, 2^53+1 and 1e400 do not). */
export function roundTrips(token: string): boolean {
  if (token.length <= 15 && /^-?\d+$/.test(token)) return true;
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  return decimal(token) === decimal(String(value));
}

/** A decimal number as sign, significant digits and exponent, so that equal values compare equal. */
function decimal(token: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token)!;
  const fraction = match[3] ?? '';
  const digits = (match[2]! + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const exponent = Number(match[4] ?? '0') - fraction.length + (digits.length - significant.length);
  return `${match[1]}${significant}e${exponent}`;
}
