import type { z } from 'zod';
import { type ConfigJsonSchema, nearestName } from '#libs/contracts';
import { type ConfigPath, shown } from './problem.ts';

/** A problem before anybody knows on which line it is. `key`: it is about this key itself, not about what stands there. */
export interface Explained {
  readonly path: ConfigPath;
  readonly key?: string;
  readonly message: string;
  readonly suggestion?: string;
}

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'nothing',
};
const FORMATS: Readonly<Record<string, string>> = { email: 'an e-mail address', url: 'a URL that begins with http:// or https://', datetime: 'a moment such as 2027-01-01T00:00:00Z' };
const NO_SECRETS = 'a secret never stands in this file: write { secretRef: env:NAME } or { secretRef: file:PATH }';
const SECRET_NAME = /token|secret|passw|credential|api[-_]?key|private[-_]?key/i;

/** What a validation issue means to the author of the file. Nothing in it comes from the values of the file. */
export function explainIssue(issue: Issue, schema: ConfigJsonSchema, root: unknown): Explained[] {
  const path = issue.path as ConfigPath;
  const value = valueAt(root, path);
  const place = schemaAt(schema, root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainKey(key, path, valueAt(value, [key]), Object.keys(place?.properties ?? {})));
    case 'invalid_type':
      return [{ path, ...explainType(issue.expected, value, place, path) }];
    case 'invalid_value':
      return [{ path, ...oneOf(issue.values, value, path) }];
    case 'invalid_format': {
      const ours = !issue.message.startsWith('Invalid ');
      const form = ours ? issue.message : FORMATS[issue.format];
      return [{ path, message: form === undefined ? 'has characters or a form that is not allowed here' : `must be ${form}` }];
    }
    case 'too_small':
      return [{ path, message: size(issue.origin, 'at least', Number(issue.minimum)) }];
    case 'too_big':
      return [{ path, message: size(issue.origin, 'at most', Number(issue.maximum)) }];
    case 'invalid_union':
      return explainUnion(issue, schema, root, value);
    case 'invalid_key':
      return [{ path: path.slice(0, -1), message: 'has a key of a form that is not allowed here' }];
    case 'custom':
      return [{ path, message: issue.message }];
    default:
      return [{ path, message: 'is not valid' }];
  }
}

function explainKey(key: string, path: ConfigPath, value: unknown, known: readonly string[]): Explained {
  const name = shown(key);
  const suggestion = nearestName(key, known);
  if (suggestion !== undefined) return { path, key, message: `unknown key ${name}`, suggestion };
  if (SECRET_NAME.test(key) && typeof value === 'string') {
    return { path, key, message: `unknown key ${name}; a secret never stands in this file`, ...(known.includes('sha256') && { suggestion: 'sha256, the SHA-256 of the token' }) };
  }
  return { path, key, message: known.length === 0 ? `unknown key ${name}` : `unknown key ${name}; known here: ${known.join(', ')}` };
}

function explainType(expected: string, value: unknown, place: ConfigJsonSchema | undefined, path: ConfigPath): { readonly message: string } {
  if (value === undefined) return { message: `${typeof path.at(-1) === 'string' ? shown(String(path.at(-1))) : 'an entry'} is missing` };
  if (place?.properties?.['secretRef'] !== undefined && typeof value === 'string') return { message: NO_SECRETS };
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) return { message: 'must be text; put it in quotes' };
  const kind = KINDS[expected] ?? expected;
  const found = value === null ? 'nothing' : Array.isArray(value) ? 'a list' : (KINDS[typeof value] ?? 'something else');
  return { message: found === kind || (expected === 'int' && typeof value === 'number') ? `must be ${kind}` : `must be ${kind}, not ${found}` };
}

function oneOf(values: readonly unknown[], value: unknown, path: ConfigPath): { readonly message: string; readonly suggestion?: string } {
  const allowed = values.map(String);
  if (value === undefined) return { message: `${shown(String(path.at(-1)))} is missing; it must be ${allowed.join(' or ')}` };
  const suggestion = typeof value === 'string' ? nearestName(value, allowed) : undefined;
  return { message: allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(', ')}`, ...(suggestion !== undefined && { suggestion }) };
}

function explainUnion(issue: Extract<Issue, { code: 'invalid_union' }>, schema: ConfigJsonSchema, root: unknown, value: unknown): Explained[] {
  const path = issue.path as ConfigPath;
  const { discriminator, options } = issue as { readonly discriminator?: string; readonly options?: readonly unknown[] };
  if (discriminator !== undefined && options) return [{ path, ...oneOf(options, value, path) }];
  // The alternatives that are of the kind of what stands there are the ones its author meant.
  const meant = issue.errors.filter((errors) => !errors.some((error) => error.code === 'invalid_type' && error.path.length === 0));
  if (meant.length === 1) return meant[0]!.flatMap((error) => explainIssue({ ...error, path: [...issue.path, ...error.path] }, schema, root));
  const kinds = issue.errors.flatMap((errors) => errors.flatMap((error) => (error.code === 'invalid_type' && error.path.length === 0 ? [KINDS[error.expected] ?? error.expected] : [])));
  return [{ path, message: kinds.length > 0 ? `must be ${kinds.join(' or ')}` : 'is not valid' }];
}

function size(origin: string, bound: 'at least' | 'at most', limit: number): string {
  if (origin === 'array') return `needs ${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return bound === 'at least' && limit === 1 ? 'must not be empty' : `needs ${bound} ${limit} characters`;
  return `must be ${bound} ${limit}`;
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((value, step) => (typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined), root);
}

/** The schema of what stands at a path. Among alternatives, the one whose fixed values (such as `type`) are those of the file. */
export function schemaAt(schema: ConfigJsonSchema, root: unknown, path: ConfigPath): ConfigJsonSchema | undefined {
  let place: ConfigJsonSchema | undefined = chosen(schema, root);
  let value: unknown = root;
  for (const step of path) {
    value = valueAt(value, [step]);
    const below: ConfigJsonSchema | undefined =
      typeof step === 'number' ? place?.items : (place?.properties?.[step] ?? (typeof place?.additionalProperties === 'object' ? place.additionalProperties : undefined));
    place = below && chosen(below, value);
    if (!place) return undefined;
  }
  return place;
}

function chosen(schema: ConfigJsonSchema, value: unknown): ConfigJsonSchema | undefined {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (!alternatives) return schema;
  const fits = (one: ConfigJsonSchema): boolean => Object.entries(one.properties ?? {}).every(([key, { const: fixed }]) => fixed === undefined || valueAt(value, [key]) === fixed);
  return alternatives.find((one) => one.type === (typeof value === 'string' ? 'string' : 'object') && fits(one));
}
