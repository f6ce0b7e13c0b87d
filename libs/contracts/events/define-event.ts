import type { z } from 'zod';

/** Which part of the product states the fact. */
export type Owner = 'broker' | 'approvals' | 'audit' | 'every process';

/** One fact the system can state: its name, version, a sentence for people, the shape of its data and what is sealed beside it. */
export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly version: number;
  readonly owner: Owner;
  readonly sentence: string;
  readonly data: Data;
  /** JSON pointers of values that travel sealed: a commitment in the event, salt and ciphertext beside it. */
  readonly sealed: readonly string[];
}

export function defineEvent<const Type extends string, Data extends z.ZodType>(definition: EventDefinition<Type, Data>): EventDefinition<Type, Data> {
  return definition;
}
