/** What cannot be seen, or turns the reading direction: it could make a text look like another one. Line breaks are dealt with before. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u{E0000}-\u{E0FFF}\u115F\u1160\u3164\uFFA0\uFFFC]/gu;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** Between two characters that would make a link or a mention; takes no room and allows no line break. */
const WORD_JOINER = '\u2060';

/**
 * Text of anybody as Slack may show it: nothing in it is a mention, a link, a command or a control character, and with everything
 * escaped it has at most `max` characters. `lines` keeps line breaks.
 */
export function slackText(value: string, max: number, lines: 'one' | 'many' = 'one'): string {
  const broken = lines === 'many' ? value.replace(/\r\n?/g, '\n') : value.replace(/\s+/g, ' ');
  const seen = broken
    .split('\n')
    .map((line) => line.replaceAll('\t', ' ').replace(HIDDEN, '\uFFFD').replace(/:(?=\/\/)|@(?=\S)/g, (sign) => `${sign}${WORD_JOINER}`))
    .join('\n');
  return capped(seen, max);
}

function capped(text: string, max: number): string {
  let [whole, short] = ['', ''];
  for (const character of text) {
    const next = ENTITIES[character] ?? character;
    if (whole.length + next.length > max) return `${short}…`;
    whole += next;
    // What is left when one character has to make room for the sign that something is missing.
    if (whole.length < max) short = whole;
  }
  return whole;
}

/** The first 12 hexadecimal digits of a digest in base64url: enough to compare two screens by eye. */
export function shortDigest(digest: string): string {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // Eight characters of six bits are six bytes.
  const bits = Array.from(digest.slice(0, 8), (character) => Math.max(0, ALPHABET.indexOf(character)).toString(2).padStart(6, '0')).join('');
  return (bits.match(/.{4}/g) ?? []).map((four) => Number.parseInt(four, 2).toString(16)).join('');
}

/** A moment in words that need no time zone: `2026-11-21 20:00 UTC`. */
export function utc(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** How long until then, for people: `55 min`. */
export function left(untilMs: number, now: number): string {
  const minutes = Math.max(0, Math.floor((untilMs - now) / 60_000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2_880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`;
}
