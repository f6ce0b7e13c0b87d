import type { Actor, Effect } from '#libs/contracts';
import type { Binding, BoundArguments, CallIdentity } from './binding.ts';
import type { Directory } from './directory.ts';
import type { ApprovalEvent, SettledAs, Verdict } from './events.ts';
import type { Flow } from './flow.ts';
import type { Refused } from './refusals.ts';
import type { Vote } from './state.ts';

type Via = Actor['via'];

/** A person's decision names the version of the approval that this person saw. */
interface Decisive {
  readonly person: string;
  readonly reason?: string;
  readonly version: number;
  readonly via: Via;
}

export interface Open {
  readonly type: 'open';
  readonly id: string;
  readonly call: string;
  readonly rule: string;
  readonly binding: Binding;
  readonly flow: Flow;
  readonly reason?: string;
  /** How many calls are held now, counted where this one will be stored, and how many may be; null where there is no limit. */
  readonly held: { readonly agent: number; readonly tenant: number };
  readonly limits: { readonly agent: number | null; readonly tenant: number | null };
  readonly stopped: boolean;
}

export interface CastVote extends Decisive {
  readonly type: 'vote';
  readonly verdict: Verdict;
}

/** Approve other arguments than the agent's. */
export interface Edit extends Decisive {
  readonly type: 'edit';
  readonly args: BoundArguments;
  /** The arguments themselves, to be sealed. */
  readonly value: unknown;
  /** Whether they fit the tool's input schema. */
  readonly valid: boolean;
}

export interface BreakGlass extends Decisive {
  readonly type: 'break_glass';
}

export interface Delegate {
  readonly type: 'delegate';
  readonly from: string;
  readonly to: string;
  readonly until: number;
  /** The name of the step it is for; every step when absent. */
  readonly step?: string;
  readonly via: Via;
}

/** What wake-ups ask for. They come late, twice or never; what they do depends on the state alone. */
export interface WakeUpCommand {
  readonly type: 'remind' | 'escalate' | 'expire';
}

export interface Cancel {
  readonly type: 'cancel';
  readonly person: string;
  /** Whether this person operates the tenant; otherwise only who asked for the call may cancel it. */
  readonly operator: boolean;
  readonly reason?: string;
  readonly via: Via;
}

export interface Kill {
  readonly type: 'kill';
  /** The switch whose scope holds this call. */
  readonly kill: string;
}

/** Asks for the one right to execute. Everything here is as it is now, not as it was. */
export interface Claim {
  readonly type: 'claim';
  readonly broker: string;
  /** The call that would be made, with the tool's definition of this moment and the very arguments that would be sent. */
  readonly call: CallIdentity;
  readonly args: BoundArguments;
  readonly requesterValid: boolean;
  readonly stopped: boolean;
  /** Policy evaluated anew for these arguments; where it asks for approval, by which flow. */
  readonly policy: { readonly version: number; readonly effect: Effect; readonly flow: Pick<Flow, 'id' | 'digest'> | null };
}

export interface Settle {
  readonly type: 'settle';
  readonly outcome: SettledAs;
}

export type Command = Open | CastVote | Edit | BreakGlass | Delegate | WakeUpCommand | Cancel | Kill | Claim | Settle;

/** What a decision may depend on besides the state and the command. */
export interface Facts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly directory: Directory;
}

export interface Accepted {
  readonly ok: true;
  /** None when the same was decided before. */
  readonly events: readonly ApprovalEvent[];
  /** The person's vote, now or then. */
  readonly vote?: Vote;
}

export type Decided = Accepted | Refused;

export const nothingNew: Accepted = { ok: true, events: [] };
