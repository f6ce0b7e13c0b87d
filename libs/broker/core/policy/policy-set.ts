import { type HoldfastConfig, type PolicyConfig, policyDocument, Refusal } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import type { OfferFacts } from './facts.ts';
import { type CompiledCondition, CONDITION_VARIABLES, type Conditions } from './conditions.ts';
import { compileRestriction, type Matcher } from './glob.ts';

/** One rule, ready to be matched. */
export interface Rule {
  readonly id: string;
  readonly effect: PolicyConfig['effect'];
  readonly priority: number;
  readonly flow: string | undefined;
  readonly reason: string | undefined;
  /** Whether a repeated call joins the approval of an equal one. */
  readonly joins: boolean;
  /** Whether callers that cannot follow a task are refused. */
  readonly onlyTasks: boolean;
  readonly condition: CompiledCondition | undefined;
  /** Everything that does not depend on who calls. */
  readonly fitsTool: (tool: OfferFacts) => boolean;
  readonly fitsCaller: (principal: Principal) => boolean;
  /** Whether it may be about some tool of a server. */
  readonly fitsToolsOf: (server: string) => boolean;
}

/** A tenant's rules in the order in which they settle a call: stronger effect first, then priority, then their order in the file. */
export interface PolicySet {
  readonly tenant: string;
  /** The configuration revision in force. */
  readonly version: number;
  readonly digest: string;
  readonly rules: readonly Rule[];
  /** The rules that fit a tool, whoever calls; remembered per tool. */
  rulesFor(tool: OfferFacts): readonly Rule[];
}

export interface PolicyCompiler {
  readonly conditions: Conditions;
  /** base64url SHA-256 of a text. */
  readonly digest: (text: string) => string;
}

const STRENGTH = { deny: 0, require_approval: 1, allow: 2 } as const;

/** Throws {@link Refusal} `config_invalid` naming every rule whose condition does not compile. */
export function compilePolicySet(config: HoldfastConfig, tenant: string, version: number, compiler: PolicyCompiler): PolicySet {
  const problems: { rule: string; problem: string }[] = [];
  const rules = config.policies
    .filter((policy) => policy.tenant === tenant)
    .map((policy) => compileRule(policy, compiler.conditions, (problem) => problems.push({ rule: policy.id, problem })))
    // The sort is stable: equal rules keep their order.
    .sort((a, b) => STRENGTH[a.effect] - STRENGTH[b.effect] || b.priority - a.priority);
  if (problems.length > 0) {
    const sentence = problems.map(({ rule, problem }) => `policy ${rule}: ${problem}`).join('; ');
    throw new Refusal('config_invalid', sentence, { problems });
  }
  const perTool = new WeakMap<OfferFacts, readonly Rule[]>();
  return {
    tenant,
    version,
    digest: compiler.digest(policyDocument(config, tenant)),
    rules,
    rulesFor: (tool) => {
      let fitting = perTool.get(tool);
      if (!fitting) perTool.set(tool, (fitting = rules.filter((rule) => rule.fitsTool(tool))));
      return fitting;
    },
  };
}

function compileRule(policy: PolicyConfig, conditions: Conditions, refuse: (problem: string) => void): Rule {
  const { match } = policy;
  const servers = compileRestriction(match.servers);
  const tools = compileRestriction(match.tools);
  const environments = compileRestriction(match.environments);
  const classes = match.classes && match.classes.length > 0 ? new Set(match.classes) : undefined;
  const methods = compileRestriction(match.methods);
  const users = compileRestriction(match.users);
  const clients = compileRestriction(match.clients);
  const agents = optional(match.agents);
  const groups = match.groups && match.groups.length > 0 ? compileRestriction(match.groups) : undefined;
  let condition: CompiledCondition | undefined;
  if (policy.when !== undefined) {
    const compiled = conditions.compile(policy.when, CONDITION_VARIABLES);
    if (compiled.ok) condition = compiled.condition;
    else refuse(compiled.problem);
  }
  return {
    id: policy.id,
    effect: policy.effect,
    priority: policy.priority,
    flow: policy.flow,
    reason: policy.reason,
    joins: policy.repeats !== 'ask',
    onlyTasks: policy.tasks === 'required',
    condition,
    // A rule names a tool as its server does or as agents see it, so that a rule meant to deny cannot miss by the choice of name.
    fitsTool: (tool) =>
      methods(tool.method) &&
      servers(tool.server.id) &&
      (tools(tool.name) || tools(tool.exposed)) &&
      (classes === undefined || classes.has(tool.class)) &&
      environments(tool.server.environment ?? ''),
    fitsCaller: (principal) =>
      users(principal.user) &&
      clients(principal.client) &&
      agents(principal.agent) &&
      (groups === undefined || principal.groups.some(groups)),
    fitsToolsOf: (server) => methods('tools/call') && servers(server),
  };
}

/** For a name that may be absent: a restriction is not met by absence, no restriction is. */
function optional(patterns: readonly string[] | undefined): (name: string | undefined) => boolean {
  if (patterns === undefined || patterns.length === 0) return () => true;
  const matcher: Matcher = compileRestriction(patterns);
  return (name) => name !== undefined && matcher(name);
}
