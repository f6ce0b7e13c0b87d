import { type Binding, sameBinding } from './binding.ts';
import type { Decided, Facts, Open } from './commands.ts';
import type { ApprovalEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { canBeMet } from './quorum.ts';
import { isBlank } from './reason.ts';
import { refused } from './refusals.ts';
import { type HeldCall, isPending } from './state.ts';
import { stepOpened } from './steps.ts';

/** Holds a call, or refuses it at once: a call is never parked for nobody. */
export function open(command: Open, { now, directory }: Facts): Decided {
  const { id, call, rule, binding, flow, held, limits } = command;
  if (command.stopped) return refused('stopped_by_switch');
  if (flow.requesterReason === 'required' && isBlank(command.reason)) return refused('reason_required');
  if (held.agent >= (limits.agent ?? Infinity) || held.tenant >= (limits.tenant ?? Infinity)) return refused('too_many_held');
  const agentOwners = binding.agent === null ? [] : [...directory.ownersOf(binding.agent)].sort();
  const requested: ApprovalEvent = {
    type: 'approval.requested',
    actor: { user: binding.user, client: binding.client, ...(binding.agent === null ? {} : { agent: binding.agent }), via: 'mcp' },
    data: { at: now, approval: id, call, rule, binding, flow, agentOwners, expiresAt: now + flow.expiresInMs },
    ...(flow.requesterReason === 'none' || isBlank(command.reason) ? {} : { seal: { '/reason': command.reason } }),
  };
  const state = evolve(null, requested);
  if (!canBeMet(state, directory)) return refused('approval_unavailable');
  return { ok: true, events: [requested, stepOpened(state, 0, now)] };
}

/** Whether a repeated call joins this one instead of being held itself. */
export function isJoinedBy(state: HeldCall, binding: Binding, now: number): boolean {
  return isPending(state) && now < state.expiresAt && sameBinding(state.binding, binding);
}
