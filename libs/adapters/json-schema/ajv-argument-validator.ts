import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ArgumentProblem, ArgumentValidator } from '#libs/broker/core';

const MAX_COMPILED = 5_000;
const MAX_SCHEMA_CHARS = 1_000_000;
const PROBLEMS_SHOWN = 5;
// Checking a schema against its own schema first would stall every caller for 30 ms a tool; what Ajv cannot use, compiling tells as well.
const OPTIONS: Options = {
  strict: false,
  allErrors: false,
  validateSchema: false,
  meta: false,
  addUsedSchema: false,
  logger: false,
  ownProperties: true,
};

const UNUSABLE: ArgumentProblem = { told: "The tool's input schema cannot be used.", recorded: 'the input schema cannot be used', unusable: true };

/**
 * {@link ArgumentValidator} over Ajv: JSON Schema 2020-12, and draft-07 where the schema says so. A schema is compiled once per tool
 * hash; the least recently compiled ones are forgotten beyond a bound. A schema with a reference to elsewhere cannot be used: nothing
 * is ever loaded.
 */
export class AjvArgumentValidator implements ArgumentValidator {
  private readonly compiled = new Map<string, ValidateFunction | null>();

  check(hash: string, schema: Readonly<Record<string, unknown>>, value: unknown): ArgumentProblem | null {
    let validate = this.compiled.get(hash);
    if (validate === undefined) {
      if (this.compiled.size >= MAX_COMPILED) this.compiled.delete(this.compiled.keys().next().value!);
      this.compiled.set(hash, (validate = compile(schema)));
    }
    if (validate === null) return UNUSABLE;
    if (validate(value) === true) return null;
    return describe(validate.errors ?? []);
  }
}

/** Each schema has an Ajv of its own: two tools may use the same `$id` for different things, and nothing is kept when it is forgotten. */
function compile(schema: Readonly<Record<string, unknown>>): ValidateFunction | null {
  const dialect = schema['$schema'];
  const older = typeof dialect === 'string' && dialect.includes('draft-0');
  try {
    if (JSON.stringify(schema).length > MAX_SCHEMA_CHARS) return null;
    const ajv = older ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
    addFormats.default(ajv);
    // Dialects that Ajv does not know mean 2020-12 here, which is what the protocol says of schemas without one.
    const { $schema: _, ...plain } = schema;
    return ajv.compile(older ? schema : plain);
  } catch {
    return null;
  }
}

function describe(errors: readonly ErrorObject[]): ArgumentProblem {
  const shown = errors.slice(0, PROBLEMS_SHOWN);
  return {
    told: shown.map((error) => `${place(error)}: ${rule(error)}.`).join(' '),
    recorded: shown.map((error) => `${error.keyword} at ${error.schemaPath}`.slice(0, 200)).join('; '),
  };
}

function place({ instancePath }: ErrorObject): string {
  return instancePath === '' ? 'The arguments' : instancePath.slice(0, 200);
}

/** What the schema asks for. Ajv's own messages name properties and limits of the schema; where they would name what was sent, ours do not. */
function rule({ keyword, message, params }: ErrorObject): string {
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties' || keyword === 'propertyNames')
    return 'holds a property that is not allowed';
  if (keyword === 'required')
    return `lacks the property ${String((params as { missingProperty?: unknown }).missingProperty).slice(0, 100)}`;
  return (message ?? keyword).slice(0, 200);
}
