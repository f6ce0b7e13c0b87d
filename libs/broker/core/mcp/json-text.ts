/**
 * Finds and cuts members in JSON text without parsing it again, so that what is passed on is what came in, character for character.
 * The text must have been accepted by JSON.parse before; where a key stands twice, the last one counts, as it does there.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the value of a member is, in the object that the text holds from `from` on. */
export function memberSpan(text: string, key: string, from = 0): Span | undefined {
  let found: Span | undefined;
  eachMember(text, from, (name, value) => {
    if (name === key) found = value;
  });
  return found;
}

/** The value's text of a member of a member …; undefined when there is none. */
export function memberText(text: string, ...path: readonly string[]): string | undefined {
  let from = 0;
  let span: Span | undefined;
  for (const key of path) {
    span = memberSpan(text, key, from);
    if (!span) return undefined;
    from = span.start;
  }
  return span && text.slice(span.start, span.end);
}

/** The object without one of its members; everything else stays as it is. */
export function withoutMember(text: string, key: string): string {
  return withMembers(text, { [key]: undefined });
}

/** The object with these members instead of its own of the same names (JSON text; undefined: gone); new ones stand at the end. */
export function withMembers(text: string, members: Readonly<Record<string, string | undefined>>): string {
  const parts: string[] = [];
  const left = new Set(Object.keys(members));
  let changed = false;
  eachMember(text, 0, (name, value, memberStart) => {
    if (!Object.hasOwn(members, name)) {
      parts.push(text.slice(memberStart, value.end));
      return;
    }
    changed = true;
    const replacement = members[name];
    if (replacement !== undefined && left.delete(name)) parts.push(`${text.slice(memberStart, value.start)}${replacement}`);
  });
  for (const name of left) {
    const value = members[name];
    if (value === undefined) continue;
    changed = true;
    parts.push(`${JSON.stringify(name)}:${value}`);
  }
  return changed ? `{${parts.join(',')}}` : text;
}

/** The object with those of its members whose names are wanted, each as it stands. */
export function onlyMembers(text: string, wanted: (name: string) => boolean): string {
  const parts: string[] = [];
  let left = false;
  eachMember(text, 0, (name, value, memberStart) => {
    if (wanted(name)) parts.push(text.slice(memberStart, value.end));
    else left = true;
  });
  return left ? `{${parts.join(',')}}` : text;
}

/** The object with one more member in front; it must not have it yet. `value` is JSON text. */
export function withMember(text: string, key: string, value: string): string {
  const start = skipSpace(text, 0) + 1;
  const empty = text.charCodeAt(skipSpace(text, start)) === 0x7d;
  return `{${JSON.stringify(key)}:${value}${empty ? '' : ','}${text.slice(start)}`;
}

function eachMember(text: string, from: number, visit: (name: string, value: Span, memberStart: number) => void): void {
  let i = skipSpace(text, from);
  if (text.charCodeAt(i) !== 0x7b) return;
  i = skipSpace(text, i + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const nameEnd = endOfString(text, i);
    const raw = text.slice(i, nameEnd);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    visit(raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1), { start, end }, i);
    i = skipSpace(text, end);
    if (text.charCodeAt(i) === 0x2c) i = skipSpace(text, i + 1);
  }
}

function skipSpace(text: string, from: number): number {
  let i = from;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return i;
    i++;
  }
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  let i = start;
  if (first !== 0x7b && first !== 0x5b) {
    // A number or a word ends where the structure goes on.
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x2c || code === 0x7d || code === 0x5d || code <= 0x20) break;
    }
    return i;
  }
  let depth = 0;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth++;
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return i + 1;
    i++;
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
}
