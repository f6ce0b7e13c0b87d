import type { CallIdentity } from './binding.ts';
import type { Delegation } from './delegation.ts';
import type { People } from './flow.ts';

/** What is known of a tenant's people at one moment. Each decision gets a fresh one; nothing of it is remembered. */
export interface Directory {
  /** The active people who are meant, for this call. */
  matching(who: People, call: CallIdentity): ReadonlySet<string>;
  isActive(user: string): boolean;
  /** Who owns an agent and therefore never decides over what it wants. */
  ownersOf(agent: string): ReadonlySet<string>;
  /** Delegations made for more than one approval, as of people who are out of office. */
  readonly delegations: readonly Delegation[];
}

export interface DirectoryFacts {
  readonly people: readonly { readonly id: string; readonly groups: readonly string[]; readonly roles: readonly string[]; readonly active: boolean }[];
  /** Owner by server and by agent: a person, or a group and then everybody in it. */
  readonly serverOwners?: Readonly<Record<string, string>>;
  readonly agentOwners?: Readonly<Record<string, string>>;
  readonly delegations?: readonly Delegation[];
}

/** A directory of the people of one tenant. Who is not active matches nothing and owns what they own. */
export function directoryOf({ people, serverOwners = {}, agentOwners = {}, delegations = [] }: DirectoryFacts): Directory {
  const active = people.filter((person) => person.active);
  const activeIds = new Set(active.map((person) => person.id));
  const owns = (owner: string | undefined, person: DirectoryFacts['people'][number]): boolean => owner !== undefined && (person.id === owner || person.groups.includes(owner));
  return {
    matching: ({ users = [], groups = [], roles = [] }, { server }) => {
      const owner = roles.includes('owner-of-server') && Object.hasOwn(serverOwners, server) ? serverOwners[server] : undefined;
      const plain = roles.filter((role) => role !== 'owner-of-server') as readonly string[];
      const meant = active.filter(
        (person) => users.includes(person.id) || person.groups.some((group) => groups.includes(group)) || person.roles.some((role) => plain.includes(role)) || owns(owner, person),
      );
      return new Set(meant.map((person) => person.id));
    },
    isActive: (user) => activeIds.has(user),
    ownersOf: (agent) => {
      const owner = Object.hasOwn(agentOwners, agent) ? agentOwners[agent] : undefined;
      return new Set([...(owner === undefined ? [] : [owner]), ...people.filter((person) => owns(owner, person)).map((person) => person.id)]);
    },
    delegations,
  };
}
