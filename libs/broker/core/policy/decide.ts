import { canonicalJson, type EventData } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import type { ConditionVariables } from './conditions.ts';
import type { OfferFacts } from './facts.ts';
import type { PolicySet, Rule } from './policy-set.ts';

/** Everything a decision depends on, besides the policy itself. */
export interface DecisionInput {
  readonly principal: Principal;
  readonly tool: OfferFacts;
  readonly args: Readonly<Record<string, unknown>>;
  readonly argsDigest: string;
  readonly argsBytes: number;
  readonly context: { readonly endpoint: string; readonly protocol: string; readonly ip?: string; readonly run?: string; readonly input?: 'given' };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** As `policy.decided` records it, but for the stage. */
export type Decision = Omit<EventData<'policy.decided'>, 'stage' | 'code'> & { readonly code?: 'policy_denied' | 'policy_error' };

/** Names the rules by which {@link decide} works; changes when the same policy and inputs could give another decision. */
export const EVALUATOR = 'holdfast-policy/1';
const MATCHED_SHOWN = 64;

/**
 * Judges a call. All matching rules are collected; deny beats require_approval beats allow; among require_approval the highest
 * priority names the flow; nothing matching is a denial, and so is any condition that cannot be evaluated, whatever else matched.
 */
export function decide(policy: PolicySet, input: DecisionInput, digest: (text: string) => string): Decision {
  const base = {
    policyVersion: policy.version,
    policyDigest: policy.digest,
    inputsDigest: digest(inputsDocument(input)),
    evaluator: EVALUATOR,
  };
  const { matched, failed } = matchingRules(policy, input);
  const names = matched.slice(0, MATCHED_SHOWN).map((rule) => rule.id);
  if (failed) {
    return {
      ...base,
      effect: 'deny',
      code: 'policy_error',
      rule: failed.id,
      matched: names,
      reason: `the condition of rule ${failed.id} could not be evaluated`,
    };
  }
  const settling = matched[0];
  if (!settling) return { ...base, effect: 'deny', code: 'policy_denied', rule: null, matched: names, reason: 'no rule allows this call' };
  const reason = settling.reason ?? DEFAULT_REASONS[settling.effect](settling.id);
  return {
    ...base,
    effect: settling.effect,
    ...(settling.effect === 'deny' ? { code: 'policy_denied' as const } : {}),
    rule: settling.id,
    matched: names,
    reason,
    ...(settling.effect === 'require_approval' && settling.flow !== undefined ? { flow: settling.flow } : {}),
  };
}

/**
 * Whether any call of the tool by this caller could be allowed or held: a list shows the tool then and only then. A rule with a
 * condition counts as if it could go either way.
 */
export function couldBeAllowed(policy: PolicySet, principal: Principal, tool: OfferFacts): boolean {
  let possible = false;
  for (const rule of policy.rulesFor(tool)) {
    if (!rule.fitsCaller(principal)) continue;
    if (rule.effect !== 'deny') possible = true;
    else if (rule.condition === undefined) return false;
  }
  return possible;
}

/** Whether any call of a tool of one of these servers could have to wait for people. */
export function couldBeHeld(policy: PolicySet, principal: Principal, servers: readonly string[]): boolean {
  return policy.rules.some((rule) => rule.effect === 'require_approval' && rule.fitsCaller(principal) && servers.some(rule.fitsToolsOf));
}

const DEFAULT_REASONS: Record<Rule['effect'], (rule: string) => string> = {
  allow: (rule) => `allowed by rule ${rule}`,
  deny: (rule) => `denied by rule ${rule}`,
  require_approval: (rule) => `rule ${rule} asks for approval`,
};

function matchingRules(policy: PolicySet, input: DecisionInput): { matched: Rule[]; failed: Rule | undefined } {
  const matched: Rule[] = [];
  let failed: Rule | undefined;
  let variables: ConditionVariables | undefined;
  for (const rule of policy.rulesFor(input.tool)) {
    if (!rule.fitsCaller(input.principal)) continue;
    if (rule.condition) {
      variables ??= conditionVariables(input);
      try {
        if (!rule.condition.evaluate(variables, input.argsBytes)) continue;
      } catch {
        failed ??= rule;
        continue;
      }
    }
    matched.push(rule);
  }
  return { matched, failed };
}

function conditionVariables({ principal, tool, args, context, now }: DecisionInput): ConditionVariables {
  const { server } = tool;
  return {
    args,
    tool: { name: tool.name, exposed: tool.exposed, class: tool.class, hash: tool.hash ?? '' },
    server: {
      id: server.id,
      environment: server.environment ?? '',
      owner: server.owner ?? '',
      dataClasses: server.dataClasses,
      systems: server.systems,
    },
    user: { id: principal.user, groups: principal.groups, roles: principal.roles },
    agent: { id: principal.agent ?? '' },
    client: { id: principal.client },
    tenant: { id: principal.tenant },
    context: {
      method: tool.method,
      endpoint: context.endpoint,
      protocol: context.protocol,
      ip: context.ip ?? '',
      run: context.run ?? '',
      input: context.input ?? '',
    },
    now: new Date(now),
  };
}

/** The canonical text of the inputs; arguments stand in it by their digest. */
function inputsDocument({ principal, tool, argsDigest, context, now }: DecisionInput): string {
  return canonicalJson({
    tenant: principal.tenant,
    user: principal.user,
    groups: principal.groups,
    roles: principal.roles,
    client: principal.client,
    agent: principal.agent,
    server: tool.server.id,
    environment: tool.server.environment,
    tool: tool.name,
    toolHash: tool.hash,
    class: tool.class,
    method: tool.method,
    argsDigest,
    context: { endpoint: context.endpoint, protocol: context.protocol, ip: context.ip, run: context.run, input: context.input },
    now,
  });
}
