/**
 * RFC 8785 (JCS): the one byte form in which values are hashed, committed to and logged.
 * Accepts JSON data only (null, booleans, finite numbers, well-formed strings, arrays, plain objects); anything else throws
 * {@link NotCanonical} naming the place. `toJSON` is a key like any other. Members that are `undefined` are absent.
 */
export function canonicalJson(value: unknown, maxDepth: number = MAX_DEPTH): string {
  if (value instanceof CanonicalText) return value.text;
  return write(value, maxDepth, []);
}

/** A value whose canonical form was written already: {@link canonicalJson} takes it as it is, so that large values are written once. */
export class CanonicalText {
  constructor(readonly text: string) {}
}

/** How deep arguments and event data may nest. */
export const MAX_DEPTH = 32;

/** How deep a sealed value may nest: results of upstream servers are recorded, not judged. */
export const MAX_SEALED_DEPTH = 256;

export type NotCanonicalReason = 'depth' | 'duplicate_key' | 'lone_surrogate' | 'number' | 'not_json';

/** A value or a text has no canonical form. `pointer` (RFC 6901) names the place, never the value. */
export class NotCanonical extends Error {
  constructor(
    readonly reason: NotCanonicalReason,
    readonly pointer: string,
  ) {
    super(`${SENTENCES[reason]} at ${pointer === '' ? 'the top level' : pointer}`);
    this.name = 'NotCanonical';
  }
}

const SENTENCES: Record<NotCanonicalReason, string> = {
  depth: 'nested too deeply',
  duplicate_key: 'duplicate object key',
  lone_surrogate: 'lone surrogate in a string',
  number: 'number that does not survive a round trip',
  not_json: 'not JSON data',
};

export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function write(value: unknown, depthLeft: number, path: (string | number)[]): string {
  switch (typeof value) {
    case 'string':
      return text(value, path);
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical('number', pointerOf(path));
      return Object.is(value, -0) ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object': {
      if (value === null) return 'null';
      if (depthLeft === 0) throw new NotCanonical('depth', pointerOf(path));
      if (Array.isArray(value)) return list(value, depthLeft - 1, path);
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) throw new NotCanonical('not_json', pointerOf(path));
      return members(value as Record<string, unknown>, depthLeft - 1, path);
    }
    default:
      throw new NotCanonical('not_json', pointerOf(path));
  }
}

function list(items: readonly unknown[], depthLeft: number, path: (string | number)[]): string {
  let out = '[';
  for (let i = 0; i < items.length; i++) {
    path.push(i);
    out += (i === 0 ? '' : ',') + write(items[i], depthLeft, path);
    path.pop();
  }
  return `${out}]`;
}

function members(object: Record<string, unknown>, depthLeft: number, path: (string | number)[]): string {
  let out = '{';
  // By UTF-16 code units, which is what RFC 8785 asks for and what comparing strings does. Most objects are made in order.
  const keys = Object.keys(object);
  if (!inOrder(keys)) keys.sort();
  for (const key of keys) {
    const member = object[key];
    if (member === undefined) continue;
    path.push(key);
    out += `${out === '{' ? '' : ','}${text(key, path)}:${write(member, depthLeft, path)}`;
    path.pop();
  }
  return `${out}}`;
}

function inOrder(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false;
  return true;
}

/** Printable ASCII without quote and backslash: well-formed, and its own JSON. */
const PLAIN = /^[ !#-[\]-~]*$/;

function text(value: string, path: readonly (string | number)[]): string {
  if (value.length < 100 && PLAIN.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new NotCanonical('lone_surrogate', pointerOf(path));
  return JSON.stringify(value);
}
