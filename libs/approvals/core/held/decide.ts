import { claim, settle } from './claim.ts';
import type { Command, Decided, Facts } from './commands.ts';
import { delegate } from './delegate.ts';
import { open } from './open.ts';
import { refused } from './refusals.ts';
import type { HeldCall } from './state.ts';
import { cancel, kill } from './stop.ts';
import { breakGlass, edit, vote } from './votes.ts';
import { escalate, expire, remind } from './wake-ups.ts';

/**
 * What a command does to an approval: the events that make it so, or why it changes nothing. The events are stored together with the
 * state they make, and only where the stored version is still that of the state given here.
 */
export function decide(state: HeldCall | null, command: Command, facts: Facts): Decided {
  if (command.type === 'open') return state ? refused('approval_exists') : open(command, facts);
  if (!state) return refused('approval_not_found');
  switch (command.type) {
    case 'vote':
      return vote(state, command, facts);
    case 'edit':
      return edit(state, command, facts);
    case 'break_glass':
      return breakGlass(state, command, facts);
    case 'delegate':
      return delegate(state, command, facts);
    case 'remind':
      return remind(state, facts.now);
    case 'escalate':
      return escalate(state, facts.now);
    case 'expire':
      return expire(state, facts.now);
    case 'cancel':
      return cancel(state, command, facts.now);
    case 'kill':
      return kill(state, command, facts.now);
    case 'claim':
      return claim(state, command, facts);
    case 'settle':
      return settle(state, command, facts.now);
  }
}
