import type { Cancel, Decided, Kill } from './commands.ts';
import { whyEnded, whyLate } from './lateness.ts';
import { isBlank } from './reason.ts';
import { refused } from './refusals.ts';
import type { HeldCall } from './state.ts';

/** Takes a call back, for who asked for it or who operates the tenant. */
export function cancel(state: HeldCall, command: Cancel, now: number): Decided {
  const late = whyLate(state, now);
  if (late) return refused(late);
  const { person, operator } = command;
  const as = person === state.binding.user ? 'requester' : 'operator';
  if (as === 'operator' && !operator) return refused('forbidden');
  return {
    ok: true,
    events: [
      {
        type: 'approval.cancelled',
        actor: { user: person, via: command.via },
        data: { at: now, person, as },
        ...(isBlank(command.reason) ? {} : { seal: { '/reason': command.reason } }),
      },
    ],
  };
}

/** Stop wins over everything that has not been released, also over what is approved or overdue. */
export function kill(state: HeldCall, command: Kill, now: number): Decided {
  const ended = whyEnded(state);
  if (ended) return refused(ended);
  return { ok: true, events: [{ type: 'approval.killed', actor: { via: 'system' }, data: { at: now, kill: command.kill } }] };
}
