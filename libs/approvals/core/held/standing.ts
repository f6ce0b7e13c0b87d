import type { Actor } from '#libs/contracts';
import type { CallIdentity } from './binding.ts';
import type { Directory } from './directory.ts';
import type { People } from './flow.ts';
import { isBlank } from './reason.ts';
import { type Refused, refused } from './refusals.ts';

const LONGEST_MS = 8 * 3_600_000;

type Bound = Pick<CallIdentity, 'tenant' | 'agent' | 'server' | 'method' | 'tool' | 'toolHash'>;

/** The data of each event of a standing approval, by type. */
export interface StandingEventData {
  'approval.standing_created': {
    readonly at: number;
    readonly standing: string;
    readonly person: string;
    readonly call: Bound;
    /** The flow it stands in for; absent in old events, which are of no flow. */
    readonly flow?: string;
    readonly condition: string;
    readonly approvers: People;
    readonly until: number;
  };
  'approval.standing_used': { readonly at: number; readonly call: string; readonly argsDigest: string; readonly number: number };
  'approval.standing_revoked': { readonly at: number; readonly person: string };
}

export type StandingEvent = {
  readonly [T in keyof StandingEventData]: { readonly type: T; readonly actor: Actor; readonly data: StandingEventData[T]; readonly seal?: Readonly<Record<string, unknown>> };
}[keyof StandingEventData];

/** An approval given beforehand, by one person and for hours, for calls of one tool by one agent that meet a condition. */
export interface StandingApproval {
  readonly id: string;
  readonly version: number;
  readonly person: string;
  readonly call: Bound;
  readonly flow: string | null;
  /** CEL over the arguments; whoever uses it evaluates it. */
  readonly condition: string;
  readonly approvers: People;
  readonly until: number;
  readonly revoked: boolean;
  readonly uses: number;
}

type Via = Actor['via'];

export type StandingCommand =
  | {
      readonly type: 'create';
      readonly id: string;
      readonly person: string;
      readonly call: CallIdentity;
      /** The flow that policy asks for; another one asks other people. */
      readonly flow?: string;
      readonly condition: string;
      /** Who may give it, as configuration says; whoever gave it must still be one of them at each use. */
      readonly approvers: People;
      readonly forMs: number;
      readonly reason?: string;
      readonly via: Via;
    }
  | {
      readonly type: 'use';
      readonly call: CallIdentity;
      readonly callId: string;
      readonly argsDigest: string;
      readonly flow?: string;
      readonly condition: 'met' | 'not_met' | 'failed';
      readonly stopped: boolean;
    }
  | { readonly type: 'revoke'; readonly person: string; readonly operator: boolean; readonly via: Via };

export interface StandingFacts {
  readonly now: number;
  readonly directory: Directory;
}

export type StandingDecided = { readonly ok: true; readonly events: readonly StandingEvent[] } | Refused;

const BOUND = ['tenant', 'agent', 'server', 'method', 'tool'] as const satisfies readonly (keyof Bound)[];

export function decideStanding(state: StandingApproval | null, command: StandingCommand, facts: StandingFacts): StandingDecided {
  if (command.type === 'create') return state ? refused('approval_exists') : create(command, facts);
  if (!state) return refused('standing_not_found');
  return command.type === 'use' ? use(state, command, facts) : revoke(state, command, facts);
}

export function evolveStanding(state: StandingApproval | null, event: StandingEvent): StandingApproval {
  if (event.type === 'approval.standing_created') {
    if (state) throw new Error('a standing approval is created once');
    const { standing, person, call, flow = null, condition, approvers, until } = event.data;
    return { id: standing, version: 1, person, call, flow, condition, approvers, until, revoked: false, uses: 0 };
  }
  if (!state) throw new Error('the history of a standing approval begins with its creation');
  const next = { ...state, version: state.version + 1 };
  return event.type === 'approval.standing_used' ? { ...next, uses: event.data.number } : { ...next, revoked: true };
}

function create(command: Extract<StandingCommand, { type: 'create' }>, { now, directory }: StandingFacts): StandingDecided {
  const { id, person, approvers, condition, forMs } = command;
  const { tenant, agent, server, method, tool, toolHash } = command.call;
  if (forMs > LONGEST_MS) return refused('standing_too_long');
  if (!(forMs > 0)) return refused('standing_over');
  const why = whoMay(person, command.call, approvers, directory);
  if (why) return why;
  if (isBlank(command.reason)) return refused('reason_required');
  const data = { at: now, standing: id, person, call: { tenant, agent, server, method, tool, toolHash }, ...(command.flow === undefined ? {} : { flow: command.flow }), condition, approvers, until: now + forMs };
  return { ok: true, events: [{ type: 'approval.standing_created', actor: { user: person, via: command.via }, data, seal: { '/reason': command.reason } }] };
}

/** Each use is judged as a claim is: as things are now. A condition that cannot be evaluated is not met. */
function use(state: StandingApproval, command: Extract<StandingCommand, { type: 'use' }>, { now, directory }: StandingFacts): StandingDecided {
  const { call } = command;
  if (command.stopped) return refused('stopped_by_switch');
  if (state.revoked || now >= state.until) return refused('standing_over');
  if (!BOUND.every((key) => state.call[key] === call[key])) return refused('binding_mismatch');
  if (state.flow !== null && state.flow !== command.flow) return refused('binding_mismatch');
  if (state.call.toolHash !== call.toolHash) return refused('tool_changed');
  const why = whoMay(state.person, call, state.approvers, directory);
  if (why) return why;
  if (command.condition !== 'met') return refused('condition_not_met');
  return {
    ok: true,
    events: [
      {
        type: 'approval.standing_used',
        actor: { user: call.user, client: call.client, ...(call.agent === null ? {} : { agent: call.agent }), via: 'mcp' },
        data: { at: now, call: command.callId, argsDigest: command.argsDigest, number: state.uses + 1 },
      },
    ],
  };
}

/** Anybody who could have given it, who gave it, or who operates the tenant may end it. */
function revoke(state: StandingApproval, command: Extract<StandingCommand, { type: 'revoke' }>, { now, directory }: StandingFacts): StandingDecided {
  if (state.revoked) return { ok: true, events: [] };
  if (now >= state.until) return refused('standing_over');
  const { person } = command;
  const call = { ...state.call, user: '', client: '' };
  if (person !== state.person && !command.operator && !directory.matching(state.approvers, call).has(person)) return refused('forbidden');
  return { ok: true, events: [{ type: 'approval.standing_revoked', actor: { user: person, via: command.via }, data: { at: now, person } }] };
}

/** The person who gave it may never be the one who calls, nor own the agent. */
function whoMay(person: string, call: CallIdentity, approvers: People, directory: Directory): Refused | undefined {
  if (person === call.user || (call.agent !== null && directory.ownersOf(call.agent).has(person))) return refused('never_counts');
  return directory.matching(approvers, call).has(person) ? undefined : refused('not_eligible');
}
