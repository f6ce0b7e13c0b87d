import type { Actor } from '#libs/contracts';
import type { Delegation, DelegationScope } from './delegation.ts';
import type { Directory } from './directory.ts';
import { type Refused, refused } from './refusals.ts';

/** Longer than any absence; who is away for longer has left the flow. */
const LONGEST_MS = 366 * 86_400_000;
const MOST_OF_ONE = 50;
/** All of them are read for each decision. */
const MOST_OF_TENANT = 2_000;

/** A delegation for more than one approval, as of somebody who is out of office. */
export interface GeneralDelegation extends Delegation {
  readonly id: string;
  readonly revoked: boolean;
}

export interface DelegationEventData {
  'delegation.created': { readonly at: number; readonly delegation: string; readonly from: string; readonly to: string; readonly until: number; readonly scope: DelegationScope };
  'delegation.revoked': { readonly at: number; readonly delegation: string; readonly person: string };
}

export type DelegationEvent = {
  readonly [T in keyof DelegationEventData]: { readonly type: T; readonly actor: Actor; readonly data: DelegationEventData[T] };
}[keyof DelegationEventData];

type Via = Actor['via'];

export type DelegationCommand =
  | { readonly type: 'create'; readonly id: string; readonly from: string; readonly to: string; readonly until: number; readonly scope: DelegationScope; readonly via: Via }
  | { readonly type: 'revoke'; readonly person: string; readonly operator: boolean; readonly via: Via };

export type DelegationDecided = { readonly ok: true; readonly events: readonly DelegationEvent[] } | Refused;

/** `directory` holds the delegations of the tenant that are in force. */
export interface DelegationFacts {
  readonly now: number;
  readonly directory: Directory;
}

export function decideDelegation(state: GeneralDelegation | null, command: DelegationCommand, facts: DelegationFacts): DelegationDecided {
  if (command.type === 'create') return state ? { ok: true, events: [] } : create(command, facts);
  if (!state) return refused('delegation_not_found');
  if (state.revoked) return { ok: true, events: [] };
  if (state.from !== command.person && !command.operator) return refused('forbidden');
  if (facts.now >= state.until) return refused('delegation_over');
  return { ok: true, events: [{ type: 'delegation.revoked', actor: { user: command.person, via: command.via }, data: { at: facts.now, delegation: state.id, person: command.person } }] };
}

export function evolveDelegation(state: GeneralDelegation | null, event: DelegationEvent): GeneralDelegation {
  if (event.type === 'delegation.created') {
    if (state) throw new Error('a delegation is created once');
    const { delegation, from, to, until, scope } = event.data;
    return { id: delegation, from, to, until, scope, revoked: false };
  }
  if (!state) throw new Error('the history of a delegation begins with its creation');
  return { ...state, revoked: true };
}

function create(command: Extract<DelegationCommand, { type: 'create' }>, { now, directory }: DelegationFacts): DelegationDecided {
  const { id, from, to, until, scope } = command;
  if (until <= now) return refused('delegation_over');
  if (until - now > LONGEST_MS) return refused('delegation_too_long');
  if (!directory.isActive(from)) return refused('not_eligible');
  if (to === from || !directory.isActive(to)) return refused('delegate_unknown');
  const { delegations } = directory;
  // Somebody who has handed on the own right is away; a right given to them would wait for nobody.
  if (delegations.some((other) => other.from === to && now < other.until && overlaps(other.scope, scope))) return refused('delegation_chain');
  if (delegations.length >= MOST_OF_TENANT || delegations.filter((other) => other.from === from).length >= MOST_OF_ONE) return refused('too_many_delegations');
  return { ok: true, events: [{ type: 'delegation.created', actor: { user: from, via: command.via }, data: { at: now, delegation: id, from, to, until, scope } }] };
}

function overlaps(a: DelegationScope, b: DelegationScope): boolean {
  return (['flow', 'server', 'step'] as const).every((key) => a[key] === undefined || b[key] === undefined || a[key] === b[key]);
}
