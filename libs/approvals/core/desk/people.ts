import { canonicalJson, type FlowConfig, type HoldfastConfig } from '#libs/contracts';
import type { Delegation } from '../held/delegation.ts';
import { type Directory, directoryOf } from '../held/directory.ts';
import type { Flow, FlowStep, People } from '../held/flow.ts';

/** A flow as a configuration describes it, in the words of the core. */
export function flowOf(config: FlowConfig, digestOf: (text: string) => string): Flow {
  const { id, steps, requesterReason, approverReason, breakGlass } = config;
  return {
    id,
    digest: digestOf(canonicalJson(config)),
    expiresInMs: milliseconds(config.expiresIn),
    grantForMs: milliseconds(config.grantFor),
    requesterReason,
    approverReason,
    breakGlass: breakGlass ? people(breakGlass) : null,
    steps: steps.map(stepOf),
  };
}

export function findFlow(config: HoldfastConfig, tenant: string, id: string): FlowConfig | undefined {
  return config.flows.find((flow) => flow.tenant === tenant && flow.id === id);
}

/** The people of a tenant, as one configuration and the delegations in force have them. */
export function directoryFor(config: HoldfastConfig, tenant: string, delegations: readonly Delegation[]): Directory {
  const own = <T extends { readonly tenant: string }>(list: readonly T[]): T[] => list.filter((entry) => entry.tenant === tenant);
  return directoryOf({
    people: own(config.identity.users).map(({ id, groups, roles }) => ({ id, groups, roles, active: true })),
    agentOwners: Object.fromEntries(own(config.agents).map(({ id, owner }) => [id, owner])),
    serverOwners: Object.fromEntries(own(config.servers).flatMap(({ id, owner }) => (owner === undefined ? [] : [[id, owner]]))),
    delegations,
  });
}

/** How many calls may be held at once where configuration says nothing. */
const HELD_PER_AGENT = 1_000;
const HELD_PER_TENANT = 20_000;

export function heldLimits(config: HoldfastConfig, tenant: string): { readonly agent: number; readonly tenant: number } {
  const limits = config.limits.filter((limit) => limit.tenant === tenant);
  const least = (per: 'agent' | 'tenant', otherwise: number): number => {
    const set = limits.filter((limit) => limit.per === per).map((limit) => limit.held);
    return set.length === 0 ? otherwise : Math.min(...set);
  };
  return { agent: least('agent', HELD_PER_AGENT), tenant: least('tenant', HELD_PER_TENANT) };
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function milliseconds(duration: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(duration)!;
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}

function stepOf(step: FlowConfig['steps'][number]): FlowStep {
  const { name, need, deny, remindEvery, remindMost, escalateAfter, escalateTo } = step;
  return {
    name,
    approvers: people(step.approvers),
    need,
    deny,
    reminders: remindEvery === undefined ? null : { everyMs: milliseconds(remindEvery), most: remindMost },
    escalation: escalateAfter === undefined || escalateTo === undefined ? null : { afterMs: milliseconds(escalateAfter), to: people(escalateTo) },
  };
}

function people({ users, groups, roles }: FlowConfig['steps'][number]['approvers']): People {
  return { ...(users === undefined ? {} : { users }), ...(groups === undefined ? {} : { groups }), ...(roles === undefined ? {} : { roles }) };
}
