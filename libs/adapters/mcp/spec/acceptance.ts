import { isDeepStrictEqual } from 'node:util';
import type { Difference } from './answer-differences.ts';

/** One way in which our answers may differ from the stock handler's, and why they do. */
export interface Accepted {
  readonly reason: string;
  /** What may differ: where, what the stock handler says, what we say. */
  readonly seen: readonly (readonly [at: string, stock: unknown, ours: unknown])[];
  /** The cases that it is accepted in; absent: any. Each of them must need it. */
  readonly cases?: readonly string[];
}

/** Any value, when only the place matters. */
export const ANY = Symbol('any value');
/** An object with at least this member. */
export const having = (member: string) => (value: unknown): boolean => typeof value === 'object' && value !== null && member in value;

/** Which rows of a table were needed, and in which cases. */
export class AcceptedDifferences {
  private readonly needed = new Set<string>();

  constructor(private readonly table: readonly Accepted[]) {}

  /** What remains when everything is taken away that the table has a reason for. */
  remaining(name: string, differences: readonly Difference[]): Difference[] {
    return differences.filter((difference) => !this.accepts(name, difference));
  }

  /** Rows, or parts of rows, that no answer needed. */
  unneeded(): string[] {
    return this.table.flatMap(({ reason, seen, cases = [] }, row) => [
      ...seen.filter((_, i) => !this.needed.has(`${row} seen ${i}`)).map(([at]) => `${reason}: ${at}`),
      ...cases.filter((name) => !this.needed.has(`${row} case ${name}`)).map((name) => `${reason}: ${name}`),
    ]);
  }

  private accepts(name: string, { at, stock, ours }: Difference): boolean {
    // Which message of a stream it is in makes no difference to the reason.
    const place = at.replace(/^message \d+: /, '');
    const row = this.table.findIndex(
      ({ seen, cases }) => (!cases || cases.includes(name)) && seen.some(([where, one, other]) => where === place && matches(one, stock) && matches(other, ours)),
    );
    if (row === -1) return false;
    const part = this.table[row]!.seen.findIndex(([where, one, other]) => where === place && matches(one, stock) && matches(other, ours));
    this.needed.add(`${row} seen ${part}`).add(`${row} case ${name}`);
    return true;
  }
}

function matches(expected: unknown, value: unknown): boolean {
  if (expected === ANY) return true;
  return typeof expected === 'function' ? (expected as (value: unknown) => boolean)(value) : isDeepStrictEqual(expected, value);
}
