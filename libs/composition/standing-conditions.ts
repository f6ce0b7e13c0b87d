import type { CompiledCondition, Conditions } from '#libs/broker/core';

/** Standing approvals look at the arguments and at nothing else. */
const VARIABLES = { args: 'open' } as const;
/** Compiled ones that are remembered; a standing approval lasts for hours. */
const REMEMBERED = 1_000;

/** Conditions of standing approvals, for the approvals' core, in the language of policy. */
export function standingConditions(conditions: Conditions) {
  const known = new Map<string, CompiledCondition | string>();
  const compile = (text: string): CompiledCondition | string => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const compiled = conditions.compile(text, VARIABLES);
    if (known.size >= REMEMBERED) known.clear();
    const result = compiled.ok ? compiled.condition : compiled.problem;
    known.set(text, result);
    return result;
  };
  return {
    /** Why a condition cannot be used; undefined when it can. */
    problem: (text: string): string | undefined => {
      const compiled = compile(text);
      return typeof compiled === 'string' ? compiled : undefined;
    },
    meets: (text: string, args: Readonly<Record<string, unknown>>): 'met' | 'not_met' | 'failed' => {
      const compiled = compile(text);
      if (typeof compiled === 'string') return 'failed';
      try {
        return compiled.evaluate({ args } as Parameters<CompiledCondition['evaluate']>[0], Buffer.byteLength(JSON.stringify(args))) ? 'met' : 'not_met';
      } catch {
        return 'failed';
      }
    },
  };
}
