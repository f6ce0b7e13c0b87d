import type { Facts } from '../held/commands.ts';
import type { HeldCall } from '../held/state.ts';
import { askedNow } from '../desk/approval-view.ts';
import type { StoredApproval } from '../desk/approval-store.ts';
import type { MessageKind, Recipient } from './message-channel.ts';

/** One message to one recipient over one channel. */
export interface Delivery {
  /** Equal for what must be told once. */
  readonly id: string;
  readonly channel: string;
  readonly kind: MessageKind;
  readonly step: number;
  readonly recipient: Recipient;
}

/** Room names and whether people get mail, as a flow's `channels` say it. */
interface Ways {
  readonly rooms: readonly { readonly channel: string; readonly name: string }[];
  /** Channels that reach single people. */
  readonly direct: readonly string[];
}

/**
 * Whom some events of an approval are to be told, as things are now: nobody is asked about what is decided meanwhile. `emailOf` gives
 * a person's address, null where none is known.
 */
export function deliveriesFor(events: readonly string[], { state, channels }: StoredApproval, facts: Facts, emailOf: (user: string) => string | null): readonly Delivery[] {
  const ways = waysOf(channels);
  const to = (kind: MessageKind, key: string, people: Iterable<string>, rooms: boolean, direct: readonly string[] = ways.direct): Delivery[] => [
    ...(rooms ? ways.rooms.map(({ channel, name }) => delivery(state, channel, kind, key, { kind: 'room', name })) : []),
    ...direct.flatMap((channel) => [...people].map((user) => delivery(state, channel, kind, key, { kind: 'person', user, email: emailOf(user) }))),
  ];
  const happened = new Set(events);
  const told: Delivery[] = [];
  if (happened.has('approval.broke_glass')) told.push(...to('broke_glass', '', everybody(state, facts), true));
  if (state.status !== 'held') return told;
  const asked = askedNow(state, facts);
  const mail = ways.direct.filter((channel) => channel === 'email');
  if (happened.has('approval.step_opened')) told.push(...to('asked', String(state.round), asked, true, mail));
  if (happened.has('approval.reminded')) told.push(...to('reminded', String(state.steps[state.step]!.reminders), asked, true, mail));
  if (happened.has('approval.escalated')) {
    const added = state.flow.steps[state.step]!.escalation?.to;
    const people = added ? [...facts.directory.matching(added, state.binding)].filter((user) => asked.has(user)) : [];
    told.push(...to('escalated', '', people, false));
  }
  if (happened.has('approval.delegated')) {
    for (const made of state.delegations) if (asked.has(made.to)) told.push(...to('delegated', made.from, [made.to], false));
  }
  return told;
}

function waysOf(channels: readonly string[]): Ways {
  const rooms = channels.flatMap((text) => {
    const colon = text.indexOf(':');
    return colon === -1 ? [] : [{ channel: text.slice(0, colon), name: text.slice(colon + 1) }];
  });
  const alone = channels.filter((text) => !text.includes(':') && text !== 'console');
  return { rooms, direct: [...new Set([...alone, ...rooms.map(({ channel }) => channel)])] };
}

function delivery(state: HeldCall, channel: string, kind: MessageKind, key: string, recipient: Recipient): Delivery {
  const who = recipient.kind === 'room' ? recipient.name : `@${recipient.user}`;
  return { id: [kind, state.step, key, channel, who].join(' '), channel, kind, step: state.step, recipient };
}

function everybody(state: HeldCall, { directory }: Facts): ReadonlySet<string> {
  return new Set(state.flow.steps.flatMap(({ approvers, escalation }) => [...directory.matching(approvers, state.binding), ...(escalation ? directory.matching(escalation.to, state.binding) : [])]));
}
