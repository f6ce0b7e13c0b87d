import { z } from 'zod';
import { HoldfastConfig } from './config-schema.ts';

/** What editors need to complete and check holdfast.yaml, and what the loader reads the keys that are valid in a place from. */
export interface ConfigJsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, ConfigJsonSchema>>;
  readonly additionalProperties?: boolean | ConfigJsonSchema;
  readonly items?: ConfigJsonSchema;
  readonly oneOf?: readonly ConfigJsonSchema[];
  readonly anyOf?: readonly ConfigJsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}

let made: ConfigJsonSchema | undefined;

/** JSON Schema (2020-12) of holdfast.yaml as people write it, defaults not filled in. */
export function configJsonSchema(): ConfigJsonSchema {
  made ??= {
    $id: 'https://holdfast.dev/schema/holdfast-v1.json',
    title: 'holdfast.yaml',
    description: 'Configuration of Holdfast, apiVersion holdfast/v1.',
    ...(z.toJSONSchema(HoldfastConfig, { io: 'input' }) as object),
  } as ConfigJsonSchema;
  return made;
}
