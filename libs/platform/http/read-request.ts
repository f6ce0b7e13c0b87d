import type { z } from 'zod';
import { Refusal } from '#libs/contracts';

/** Reads a query or a body strictly; what is wrong with it is told by name, never by value. */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0) throw new Refusal('unknown_field', `not known here: ${unknown.slice(0, 10).join(', ')}`);
  const places = [...new Set(result.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new Refusal('request_invalid', `not valid: ${places.slice(0, 10).join(', ')}`);
}

/** Without the members that are undefined. */
export function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}
