import type { Detector } from '#libs/contracts';

/** A part of a text, from the first character to the one after the last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Finds values of one kind in a text. Each looks at a bounded number of characters around each place, so the time is linear in the
 * length of the text, whatever stands in it; none uses a pattern that could go back.
 */
export const detectors: Readonly<Record<Detector, (text: string) => readonly Span[]>> = { email: emails, card: cards, iban: ibans, secret: secrets };

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLower = (code: number): boolean => code >= 97 && code <= 122;
const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isLetter = (code: number): boolean => isLower(code) || isUpper(code);
const isWord = (code: number): boolean => isLetter(code) || isDigit(code);
/** Everything beyond ASCII may stand in an address. */
const isLocal = (code: number): boolean => isWord(code) || code > 127 || '._%+-\'!#$&*/=?^`{|}~'.includes(String.fromCharCode(code));
const isHost = (code: number): boolean => isWord(code) || code > 127 || code === 46 || code === 45;

const LONGEST_LOCAL = 64;
const LONGEST_HOST = 255;

function emails(text: string): Span[] {
  const found: Span[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let from = at;
    while (from > 0 && at - from < LONGEST_LOCAL && isLocal(text.charCodeAt(from - 1))) from--;
    let to = at + 1;
    while (to < text.length && to - at <= LONGEST_HOST && isHost(text.charCodeAt(to))) to++;
    while (to > at + 1 && !isWord(text.charCodeAt(to - 1)) && text.charCodeAt(to - 1) < 128) to--;
    const host = text.slice(at + 1, to);
    const dot = host.lastIndexOf('.');
    if (from < at && dot > 0 && host.length - dot > 2) found.push({ from, to });
  }
  return found;
}

const SHORTEST_CARD = 13;
const LONGEST_CARD = 19;

/** 13 to 19 digits that fit Luhn's sum, alone or with single spaces or dashes between them. */
function cards(text: string): Span[] {
  const found: Span[] = [];
  for (let start = 0; start < text.length; start++) {
    if (!isDigit(text.charCodeAt(start)) || (start > 0 && isDigit(text.charCodeAt(start - 1)))) continue;
    const digits: number[] = [];
    let longest = 0;
    for (let i = start; i < text.length && digits.length < LONGEST_CARD; i++) {
      const code = text.charCodeAt(i);
      if (isDigit(code)) {
        digits.push(code - 48);
        if (digits.length >= SHORTEST_CARD && !isDigit(text.charCodeAt(i + 1)) && fitsLuhn(digits)) longest = i + 1;
      } else if ((code !== 32 && code !== 45) || !isDigit(text.charCodeAt(i + 1))) break;
    }
    if (longest > 0) {
      found.push({ from: start, to: longest });
      start = longest - 1;
    }
  }
  return found;
}

function fitsLuhn(digits: readonly number[]): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[digits.length - 1 - i]!;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && digits.some((digit) => digit !== 0);
}

const SHORTEST_IBAN = 15;
const LONGEST_IBAN = 34;

/** Country, two check digits and the rest, in one piece or with single spaces, that leave 1 modulo 97. */
function ibans(text: string): Span[] {
  const found: Span[] = [];
  for (let start = 0; start + SHORTEST_IBAN <= text.length; start++) {
    if (start > 0 && isWord(text.charCodeAt(start - 1))) continue;
    if (!isLetter(text.charCodeAt(start)) || !isLetter(text.charCodeAt(start + 1)) || !isDigit(text.charCodeAt(start + 2)) || !isDigit(text.charCodeAt(start + 3))) continue;
    const head = [0, 1, 2, 3].map((i) => text.charCodeAt(start + i));
    let rest = 0;
    let count = 4;
    let longest = 0;
    for (let i = start + 4; i < text.length && count < LONGEST_IBAN; i++) {
      const code = text.charCodeAt(i);
      if (isWord(code)) {
        rest = taken(rest, code);
        count++;
        if (count >= SHORTEST_IBAN && !isWord(text.charCodeAt(i + 1)) && head.reduce(taken, rest) === 1) longest = i + 1;
      } else if (code !== 32 || !isWord(text.charCodeAt(i + 1))) break;
    }
    if (longest > 0) {
      found.push({ from: start, to: longest });
      start = longest - 1;
    }
  }
  return found;
}

/** The remainder modulo 97 after one more character; letters are two digits. */
function taken(remainder: number, code: number): number {
  const value = isDigit(code) ? code - 48 : (isLower(code) ? code - 32 : code) - 55;
  return (remainder * (value > 9 ? 100 : 10) + value) % 97;
}

const PREFIXES = ['hf_', 'sk-', 'sk_', 'pk_live_', 'rk_live_', 'ghp_', 'gho_', 'ghs_', 'ghu_', 'github_pat_', 'glpat-', 'xoxb-', 'xoxp-', 'xoxa-', 'xapp-', 'AKIA', 'ASIA', 'AIza', 'npm_', 'eyJ', 'ya29.', 'SG.'];
const SHORTEST_PREFIXED = 16;
const LONGEST_NAME = 64;
/** Shorter ones of all kinds of characters are words and names too. */
const SHORTEST_RANDOM = 32;
const KEY_BEGINS = '-----BEGIN ';
const KEY_ENDS = '-----END ';
const isToken = (code: number): boolean => isWord(code) || code === 95 || code === 45 || code === 46 || code === 43 || code === 47 || code === 61 || code === 126;

/** Keys in PEM, tokens that begin as those of well-known issuers, and long pieces of lower case, upper case and digits. */
function secrets(text: string): Span[] {
  const found: Span[] = [];
  for (let begin = text.indexOf(KEY_BEGINS); begin !== -1; ) {
    const end = text.indexOf(KEY_ENDS, begin);
    const to = end === -1 ? text.length : Math.min(text.length, text.indexOf('-----', end + KEY_ENDS.length) === -1 ? text.length : text.indexOf('-----', end + KEY_ENDS.length) + 5);
    found.push({ from: begin, to });
    begin = text.indexOf(KEY_BEGINS, to);
  }
  for (let from = 0; from < text.length; ) {
    if (!isToken(text.charCodeAt(from))) {
      from++;
      continue;
    }
    let to = from;
    let kinds = 0;
    while (to < text.length && isToken(text.charCodeAt(to))) {
      const code = text.charCodeAt(to++);
      kinds |= isLower(code) ? 1 : isUpper(code) ? 2 : isDigit(code) ? 4 : 0;
    }
    // What stands before an equals sign may be a name, as in key=….
    const named = text.slice(from, Math.min(to, from + LONGEST_NAME)).indexOf('=') + 1 + from;
    const start = [from, named].find((place) => to - place >= SHORTEST_PREFIXED && PREFIXES.some((prefix) => text.startsWith(prefix, place)));
    if (start !== undefined) found.push({ from: start, to });
    else if (kinds === 7 && to - from >= SHORTEST_RANDOM) found.push({ from, to });
    from = to;
  }
  return found.sort((a, b) => a.from - b.from);
}
