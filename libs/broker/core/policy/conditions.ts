/** The type of a variable that conditions may use. Text and lists of text are named by field; `open` is whatever the agent sent. */
export type VariableType = 'open' | 'time' | Readonly<Record<string, 'text' | 'texts'>>;

/** The variables of every condition. A name or field that is not here is an error when the policy is loaded, not when it is used. */
export const CONDITION_VARIABLES = {
  args: 'open',
  tool: { name: 'text', exposed: 'text', class: 'text', hash: 'text' },
  server: { id: 'text', environment: 'text', owner: 'text', dataClasses: 'texts', systems: 'texts' },
  user: { id: 'text', groups: 'texts', roles: 'texts' },
  agent: { id: 'text' },
  client: { id: 'text' },
  tenant: { id: 'text' },
  context: { method: 'text', endpoint: 'text', protocol: 'text', ip: 'text', run: 'text', input: 'text' },
  now: 'time',
} as const satisfies Readonly<Record<string, VariableType>>;

type ValueOf<T extends VariableType> = T extends 'open'
  ? Readonly<Record<string, unknown>>
  : T extends 'time'
    ? Date
    : { readonly [F in keyof T]: T[F] extends 'texts' ? readonly string[] : string };

/** Values for one evaluation; a text that does not apply is empty. */
export type ConditionVariables = { readonly [V in keyof typeof CONDITION_VARIABLES]: ValueOf<(typeof CONDITION_VARIABLES)[V]> };

export interface CompiledCondition {
  /** Throws when the expression cannot be evaluated for these values. `argsBytes` bounds the work of expressions that iterate. */
  evaluate(variables: ConditionVariables, argsBytes: number): boolean;
}

export type ConditionCompilation =
  { readonly ok: true; readonly condition: CompiledCondition } | { readonly ok: false; readonly problem: string };

/**
 * Compiles the expressions of policy rules. An expression that is not of type bool for the declared variables, that is too large, or
 * whose evaluation could take more than linear time on what an agent sends, does not compile. Evaluation has no effects.
 */
export interface Conditions {
  compile(expression: string, declared: Readonly<Record<string, VariableType>>): ConditionCompilation;
}
export const Conditions = Symbol('Conditions');
