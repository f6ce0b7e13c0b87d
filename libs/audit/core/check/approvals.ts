import type { HoldfastEvent } from '#libs/contracts';
import { type ApprovalHistory, ask, type HeldEvent, type OverApproval, SAID } from './approval-history.ts';
import { otherCall } from './asked.ts';
import type { CallHistory } from './call-history.ts';
import { Ended } from './ended.ts';
import { judgeApproval, release } from './judge-approval.ts';
import type { Say } from './judgement.ts';
import { StandingApprovals } from './standing-approvals.ts';

export type ApprovalEvent = Extract<HoldfastEvent, { type: `approval.${string}` }>;
type EventOf<T extends ApprovalEvent['type']> = Extract<ApprovalEvent, { type: T }>;

export function isApprovalEvent(event: HoldfastEvent): event is ApprovalEvent {
  return event.type.startsWith('approval.');
}

/** All approvals of one log. Memory is bounded by those that are not over, plus a fixed number of ended ones. */
export class Approvals {
  private readonly open = new Map<string, ApprovalHistory>();
  private readonly over = new Ended<OverApproval>();
  private readonly standing = new StandingApprovals();

  /** `call` is the history of the call that the event's links name; what approvals add to it is written there. */
  take(event: ApprovalEvent, index: number, call: CallHistory | undefined, say: Say): void {
    switch (event.type) {
      case 'approval.standing_created':
      case 'approval.standing_used':
      case 'approval.standing_revoked':
        return this.standing.take(event, index, call, say);
      case 'approval.arguments_shown':
      case 'approval.release_refused':
        // Somebody looked, or something was tried in vain: nothing follows from it.
        return;
      case 'approval.refused':
        return refuse(event, index, call, say);
      case 'approval.joined':
        return this.join(event, index, call, say);
      default:
        return this.takeHeld(event, index, call, say);
    }
  }

  /** Approvals whose right was taken and whose outcome nobody has told. */
  unsettled(): readonly ApprovalHistory[] {
    return [...this.open.values()].filter(({ status }) => status === 'claimed');
  }

  private takeHeld(event: HeldEvent, index: number, call: CallHistory | undefined, say: Say): void {
    const id = event.links.approval ?? '(none)';
    const history = this.open.get(id);
    if (history) {
      judgeApproval(history, event, index, call, say);
      if (history.status === 'over') this.end(history);
      return;
    }
    const over = this.over.get(id);
    if (!over && event.type === 'approval.requested') {
      this.open.set(id, ask(event, index, call, say));
      return;
    }
    const again = over?.since.how === 'settled' && event.type === 'approval.settled';
    const why = over ? `after it was ${over.since.how} at ${over.since.index}` : 'and nobody had asked for it';
    say(again ? 'I3' : 'I4', `approval ${id} was ${SAID[event.type]} at ${index}, ${why}`);
    if (event.type === 'approval.claimed') release(id, event.data, index, call);
  }

  private end({ approval, call, binding, since }: ApprovalHistory): void {
    this.open.delete(approval);
    this.over.set(approval, { approval, call, binding, since });
  }

  /** A repeated call is answered by what becomes of another one, so it must be a repetition, and nothing is executed for it. */
  private join({ data, links }: EventOf<'approval.joined'>, index: number, call: CallHistory | undefined, say: Say): void {
    const approval = this.open.get(links.approval ?? '') ?? this.over.get(links.approval ?? '');
    const wrong = (why: string): void => say('I4', `call ${links.call ?? '(none)'} joined approval ${links.approval ?? '(none)'} at ${index}, ${why}`);
    if (data.call !== links.call && data.call !== approval?.call) wrong(`naming call ${data.call}`);
    if (!call?.held) wrong('and policy had not held it');
    if (call?.closed) wrong(`after it was ${call.closed.how} at ${call.closed.index}`);
    if (call?.allowed) wrong(`after it was allowed at ${call.allowed.index}`);
    if (call?.approval !== undefined) wrong(`and approval ${call.approval} had been asked for it`);
    if (call && call.call !== approval?.call) call.closed ??= { index, how: 'joined to another call' };
    if (!approval) return wrong('and nobody had asked for that');
    const other = call?.asked ? otherCall(call.asked, approval.binding) : [];
    if (call?.held && call.held.policyVersion !== approval.binding.policyVersion) other.push('policy version');
    if (other.length > 0) wrong(`and it differs in ${other.join(', ')}`);
  }
}

/** A call that needed approval and was not held ends there. */
function refuse({ links }: EventOf<'approval.refused'>, index: number, call: CallHistory | undefined, say: Say): void {
  const wrong = (why: string): void => say('I4', `call ${links.call ?? '(none)'} was refused approval at ${index}, ${why}`);
  if (call?.approval !== undefined) wrong(`and approval ${call.approval} had been asked for it`);
  if (call?.closed) wrong(`after it was ${call.closed.how} at ${call.closed.index}`);
  if (call?.allowed) wrong(`after it was allowed at ${call.allowed.index}`);
  if (call) call.closed ??= { index, how: 'refused approval' };
}
