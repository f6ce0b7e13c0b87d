import type { EventData, HoldfastEvent } from '#libs/contracts';
import { whyNothingCanRelease } from './approval-history.ts';
import { isMeant } from './approval-votes.ts';
import { otherTool } from './asked.ts';
import type { CallHistory } from './call-history.ts';
import { Ended } from './ended.ts';
import type { Say } from './judgement.ts';

type StandingEvent = Extract<HoldfastEvent, { type: `approval.standing_${string}` }>;
type EventOf<T extends StandingEvent['type']> = Extract<StandingEvent, { type: T }>;
type StandingApproval = EventData<'approval.standing_created'> & { readonly index: number; uses: number; revoked?: number };

const LONGEST_MS = 8 * 3_600_000;
/** Nobody says that a standing approval is over, so those whose time has passed are looked for after so many new ones. */
const LOOK_AFTER = 1_000;

/** What was approved beforehand, and each call that was released by it. */
export class StandingApprovals {
  private readonly living = new Map<string, StandingApproval>();
  private readonly over = new Ended<StandingApproval>();
  private latest = 0;
  private sinceLook = 0;

  take(event: StandingEvent, index: number, call: CallHistory | undefined, say: Say): void {
    this.latest = Math.max(this.latest, event.data.at);
    const id = event.links.approval ?? (event.type === 'approval.standing_created' ? event.data.standing : '(none)');
    const standing = this.living.get(id) ?? this.over.get(id);
    if (event.type === 'approval.standing_created') return this.create(event, index, standing, say);
    if (event.type === 'approval.standing_used') use(id, standing, event, index, call, say);
    else revoke(id, standing, event, index, say);
  }

  private create({ data, links, tenant, actor }: EventOf<'approval.standing_created'>, index: number, known: StandingApproval | undefined, say: Say): void {
    const { standing, person, call, approvers, until, at } = data;
    const wrong = (why: string): void => say('I4', `standing approval ${standing} was given at ${index}, ${why}`);
    if (links.approval !== standing) wrong('and its links name another');
    if (call.tenant !== tenant) wrong(`bound to tenant ${call.tenant}`);
    if (person !== actor.user) wrong(`in the name of ${person}, by ${actor.user ?? 'nobody'}`);
    if (isMeant(person, approvers) === false) wrong(`by ${person}, who may not`);
    if (until <= at || until > at + LONGEST_MS) wrong('for no time or for more than 8 hours');
    if (known) return wrong(`after it was given at ${known.index}`);
    this.living.set(standing, { ...data, index, uses: 0 });
    if (++this.sinceLook >= LOOK_AFTER) this.forget();
  }

  private forget(): void {
    this.sinceLook = 0;
    for (const [id, standing] of this.living) {
      if (standing.revoked === undefined && standing.until > this.latest) continue;
      this.living.delete(id);
      this.over.set(id, standing);
    }
  }
}

/** Releases one call, of whomever, that is of the agent and the tool it was given for. The condition is about sealed values. */
function use(id: string, standing: StandingApproval | undefined, { data, links }: EventOf<'approval.standing_used'>, index: number, call: CallHistory | undefined, say: Say): void {
  const wrong = (why: string): void => say('I4', `standing approval ${id} was used at ${index}, ${why}`);
  if (data.call !== links.call) wrong(`for call ${data.call}, and its links name another`);
  if (call?.requested === undefined) wrong('for a call that nobody had asked for');
  const late = call && whyNothingCanRelease(call);
  if (late !== undefined) wrong(late);
  if (call?.approval !== undefined) wrong(`for a call that approval ${call.approval} had been asked for`);
  const asked = call?.asked;
  if (asked && asked.args.digest !== data.argsDigest) wrong('for other arguments than the call has');
  if (call) call.release ??= { index, approval: id, claim: null };
  if (!standing) return wrong('and nobody had given it');
  const other = asked ? otherTool(asked, standing.call) : [];
  if (other.length > 0) wrong(`and the call differs in ${other.join(', ')}`);
  if (asked?.user === standing.person) wrong('for a call of the person who gave it');
  if (standing.revoked !== undefined) wrong(`after it was revoked at ${standing.revoked}`);
  if (data.at >= standing.until) wrong('after its time was over');
  if (data.number !== standing.uses + 1) wrong(`as use ${data.number}, after use ${standing.uses}`);
  standing.uses = Math.max(standing.uses, data.number);
}

function revoke(id: string, standing: StandingApproval | undefined, { data, actor }: EventOf<'approval.standing_revoked'>, index: number, say: Say): void {
  const wrong = (why: string): void => say('I4', `standing approval ${id} was revoked at ${index}, ${why}`);
  if (data.person !== actor.user) wrong(`in the name of ${data.person}, by ${actor.user ?? 'nobody'}`);
  if (!standing) return wrong('and nobody had given it');
  if (standing.revoked !== undefined) return wrong(`after it was revoked at ${standing.revoked}`);
  standing.revoked = index;
}
