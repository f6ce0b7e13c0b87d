import { sameArguments, sameCaller } from './binding.ts';
import { type Claim, type Decided, type Facts, nothingNew, type Settle } from './commands.ts';
import { whyLate } from './lateness.ts';
import { isStillApproved } from './quorum.ts';
import { type HeldRefusalCode, refused } from './refusals.ts';
import type { HeldCall } from './state.ts';

/**
 * Gives the one right to execute. Everything that was true when people decided must be true now; the first claim that is stored wins,
 * and whoever could not store it has no right. A refusal changes nothing: what is missing may come back before the grant ends.
 */
export function claim(state: HeldCall, command: Claim, facts: Facts): Decided {
  const why = whyNot(state, command, facts);
  if (why) return refused(why);
  const { broker, args, call, policy } = command;
  return {
    ok: true,
    events: [{ type: 'approval.claimed', actor: { via: 'system' }, data: { at: facts.now, broker, args, toolHash: call.toolHash, policyVersion: policy.version } }],
  };
}

/** What became of the released call. Executed at most once also means: told once. */
export function settle(state: HeldCall, { outcome }: Settle, now: number): Decided {
  if (state.status === outcome) return nothingNew;
  if (state.status !== 'claimed') return refused(state.claim ? 'approval_claimed' : 'approval_not_claimed');
  return { ok: true, events: [{ type: 'approval.settled', actor: { via: 'system' }, data: { at: now, outcome } }] };
}

/** The switch first: no other answer matters while it is on. */
function whyNot(state: HeldCall, { call, args, stopped, requesterValid, policy }: Claim, facts: Facts): HeldRefusalCode | undefined {
  if (stopped) return 'stopped_by_switch';
  const late = whyLate(state, facts.now);
  if (late) return late;
  if (state.status === 'held') return 'approval_pending';
  if (!sameCaller(state.binding, call) || !sameArguments(state.args, args)) return 'binding_mismatch';
  if (state.binding.toolHash !== call.toolHash) return 'tool_changed';
  if (!requesterValid) return 'requester_invalid';
  if (!isStillApproved(state, facts)) return 'quorum_lost';
  return permits(state, policy) ? undefined : 'policy_denied';
}

/** Policy may have become milder. Where it asks for approval, it must be for the one that was given. */
function permits({ flow }: HeldCall, { effect, flow: asked }: Claim['policy']): boolean {
  return effect === 'allow' || (effect === 'require_approval' && asked?.id === flow.id && asked.digest === flow.digest);
}
