import type { EventDraft } from '#libs/contracts';
import { type Told, written } from '#libs/testing';
import { auditCheck, type CheckOptions, type CheckReport } from '../audit-check.ts';

/** Histories told otherwise, for specs that plant something wrong in them. */

type Type = EventDraft['type'];

export async function check(told: readonly Told[], options: CheckOptions = {}): Promise<CheckReport> {
  const entries = written(told).map(({ event }, index) => ({ index, bytes: event }));
  async function* pages(): AsyncGenerator<typeof entries> {
    yield entries;
  }
  return auditCheck(pages(), options);
}

/** Where the nth event of a type stands. */
export function find(told: readonly Told[], type: Type, nth = 0): number {
  const found = told.flatMap(({ draft }, i) => (draft.type === type ? [i] : []))[nth];
  if (found === undefined) throw new Error(`there is no ${type} number ${nth}`);
  return found;
}

export function without(told: readonly Told[], type: Type, nth = 0): Told[] {
  return told.toSpliced(find(told, type, nth), 1);
}

export function twice(told: readonly Told[], type: Type, nth = 0): Told[] {
  const i = find(told, type, nth);
  return told.toSpliced(i, 0, told[i]!);
}

/** With these members of its data, or of the event itself. */
export function changed(told: readonly Told[], type: Type, data: object, nth = 0, more: Partial<Pick<EventDraft, 'actor' | 'links' | 'tenant'>> = {}): Told[] {
  const i = find(told, type, nth);
  const { by, draft } = told[i]!;
  return told.with(i, { by, draft: { ...draft, ...more, data: { ...draft.data, ...data } } as EventDraft });
}

/** Written by another process. */
export function by(told: readonly Told[], name: string, type: Type, nth = 0): Told[] {
  const i = find(told, type, nth);
  return told.with(i, { ...told[i]!, by: name });
}

/** With one event put before another. */
export function put(told: readonly Told[], type: Type, before: Type, nth = 0): Told[] {
  const i = find(told, type, nth);
  return told.toSpliced(i, 1).toSpliced(find(told, before), 0, told[i]!);
}
