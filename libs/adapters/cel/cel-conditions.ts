import { Environment } from '@marcbachmann/cel-js';
import type { ConditionCompilation, Conditions, ConditionVariables, VariableType } from '#libs/broker/core';
import { linearProblem } from './linear-time.ts';

const LIMITS = { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 };
/** Expressions that iterate look at arguments up to this size; larger ones are an error of evaluation, which denies. */
const MAX_ITERATED_BYTES = 64 * 1024;
const TYPES = { text: 'string', texts: 'list<string>' } as const;

/** {@link Conditions} in the Common Expression Language. Numbers in arguments are doubles, as JSON has them; `1` and `1.0` are equal. */
export class CelConditions implements Conditions {
  private readonly environments = new Map<string, Environment>();

  compile(expression: string, declared: Readonly<Record<string, VariableType>>): ConditionCompilation {
    const environment = this.environment(declared);
    const checked = environment.check(expression);
    if (!checked.valid) return { ok: false, problem: firstLine(checked.error) };
    if (checked.type !== 'bool') return { ok: false, problem: `the expression is of type ${checked.type ?? 'unknown'}, not bool` };
    const program = environment.parse(expression);
    const { problem, iterates } = linearProblem(program.ast);
    if (problem !== undefined) return { ok: false, problem };
    return {
      ok: true,
      condition: {
        evaluate: (variables: ConditionVariables, argsBytes: number) => {
          if (iterates && argsBytes > MAX_ITERATED_BYTES) throw new RangeError('the arguments are too large to iterate over');
          const value: unknown = program(variables);
          if (typeof value !== 'boolean') throw new TypeError('the condition gave no bool');
          return value;
        },
      },
    };
  }

  private environment(declared: Readonly<Record<string, VariableType>>): Environment {
    const key = JSON.stringify(declared);
    let environment = this.environments.get(key);
    if (!environment) {
      environment = new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS });
      for (const [name, type] of Object.entries(declared)) declare(environment, name, type);
      this.environments.set(key, environment);
    }
    return environment;
  }
}

function declare(environment: Environment, name: string, type: VariableType): void {
  if (type === 'open') environment.registerVariable(name, 'map');
  else if (type === 'time') environment.registerVariable(name, 'google.protobuf.Timestamp');
  else
    environment.registerVariable({ name, schema: Object.fromEntries(Object.entries(type).map(([field, kind]) => [field, TYPES[kind]])) });
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : 'not an expression';
  return message.split('\n', 1)[0]!.slice(0, 300);
}
