import type { ApprovalEvent, ApprovalEventData, ApprovalEventType } from '../events.ts';
import type { Flow, People } from '../flow.ts';

/** What a random history says about the world, in the plainest form: who is where, at the moment of a step. */
export interface World {
  readonly now: number;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly left: readonly string[];
  readonly agentOwner: string;
  readonly switchOn: boolean;
}

type Of<T extends ApprovalEventType> = ApprovalEventData[T];

/**
 * The promises, judged from the events alone and in other words than those of the core: nothing here is imported from it but types.
 * `worlds` has the world in which each event was decided.
 */
export function brokenPromises(events: readonly ApprovalEvent[], worlds: readonly World[]): string[] {
  const broken: string[] = [];
  const says = (holds: boolean, promise: string): void => void (holds || broken.push(promise));
  const indexOf = (type: ApprovalEventType): number => events.findIndex((event) => event.type === type);
  const all = <T extends ApprovalEventType>(type: T): Of<T>[] => events.filter((event) => event.type === type).map((event) => event.data as Of<T>);

  const requested = all('approval.requested')[0];
  if (!requested) return events.length === 0 ? [] : ['a history begins with its request'];
  const claims = all('approval.claimed');
  says(all('approval.requested').length === 1, 'a call is held once');
  says(claims.length <= 1, 'I4: an approval is used once');

  const ends = ['approval.denied', 'approval.expired', 'approval.cancelled', 'approval.killed', 'approval.settled'] as const;
  const end = events.findIndex((event) => (ends as readonly string[]).includes(event.type));
  says(end === -1 || end === events.length - 1, 'what has ended does not change');
  const claimed = indexOf('approval.claimed');
  says(claimed === -1 || events.slice(claimed + 1).every((event) => event.type === 'approval.settled'), 'after the claim there is only an outcome');
  says(indexOf('approval.settled') === -1 || claimed !== -1, 'only what was claimed has an outcome');
  const killed = indexOf('approval.killed');
  says(killed === -1 || claimed === -1, 'I5: nothing is killed and claimed');
  says(events.every((event, at) => event.type !== 'approval.claimed' || !worlds[at]!.switchOn), 'I5: nothing is claimed while a switch is on');

  for (const { step, deny } of requested.flow.steps.map(({ deny }, step) => ({ step, deny }))) {
    says(deniers(events, step) < deny || events.at(-1)!.type === 'approval.denied', 'enough denials end it at once');
  }
  says(all('approval.voted').every(({ person }) => person !== requested.binding.user && !requested.agentOwners.includes(person)), "neither the requester nor the agent's owner decides");
  says(all('approval.delegated').every(({ to }) => to !== requested.binding.user && !requested.agentOwners.includes(to)), "nobody delegates to the requester or the agent's owner");
  requested.flow.steps.forEach(({ reminders }, step) => says(all('approval.reminded').filter((one) => one.step === step).length <= (reminders?.most ?? 0), 'reminders are capped'));

  if (claimed !== -1) broken.push(...brokenByClaim(events, worlds, claimed, requested));
  return broken;
}

/** I4, at the moment of the claim: these arguments, these people, this time. */
function brokenByClaim(events: readonly ApprovalEvent[], worlds: readonly World[], claimed: number, requested: Of<'approval.requested'>): string[] {
  const broken: string[] = [];
  const says = (holds: boolean, promise: string): void => void (holds || broken.push(`I4: ${promise}`));
  const claim = events[claimed]!.data as Of<'approval.claimed'>;
  const world = worlds[claimed]!;
  const before = events.slice(0, claimed);
  const lastEdit = before.findLastIndex((event) => event.type === 'approval.edited');
  const args = lastEdit === -1 ? requested.binding.args : (before[lastEdit]!.data as Of<'approval.edited'>).to;
  says(claim.args.digest === args.digest && claim.args.absent === args.absent, 'what is executed is what was last proposed');
  says(claim.toolHash === requested.binding.toolHash, 'the tool is the one that was approved');

  const grant = before.findLast((event) => event.type === 'approval.granted')?.data as Of<'approval.granted'> | undefined;
  says(grant !== undefined && world.now < grant.claimUntil, 'the grant is there and has not ended');
  says(grant === undefined || grant.args.digest === args.digest, 'the grant is for these arguments');

  const excluded = [requested.binding.user, ...requested.agentOwners, world.agentOwner];
  const may = (person: string, who: People): boolean => !excluded.includes(person) && isMeant(world, person, who);
  const glass = before.find((event) => event.type === 'approval.broke_glass')?.data as Of<'approval.broke_glass'> | undefined;
  if (glass) {
    says(requested.flow.breakGlass !== null && may(glass.person, requested.flow.breakGlass), 'who broke the glass may do so');
    says(grant?.postReview === true, 'a broken glass is reviewed');
    return broken;
  }
  const votes = before.slice(lastEdit + 1).flatMap((event) => (event.type === 'approval.voted' && event.data.verdict === 'approve' ? [event.data] : []));
  says(votes.every((vote) => vote.argsDigest === args.digest), 'people approved these arguments');
  const good = votes.filter((vote) => {
    const who = meantBy(requested.flow, vote.step, before);
    const present = !world.left.includes(vote.person) && !excluded.includes(vote.person);
    return present && who.some((people) => may(vote.seat, people)) && (vote.seat === vote.person || isDelegated(before, vote, requested.flow, world.now));
  });
  says(new Set(good.map((vote) => vote.person)).size === good.length, 'one person counts once');
  says(new Set(good.map((vote) => vote.seat)).size === good.length, 'one right counts once');
  requested.flow.steps.forEach(({ need }, step) => says(good.filter((vote) => vote.step === step).length >= need, 'each step has its quorum'));
  return broken;
}

/** A later vote of the same person replaces a denial, and only after an edit. */
function deniers(events: readonly ApprovalEvent[], step: number): number {
  const latest = new Map<string, Of<'approval.voted'>>();
  for (const event of events) if (event.type === 'approval.voted') latest.set(event.data.person, event.data);
  return [...latest.values()].filter((vote) => vote.verdict === 'deny' && vote.step === step).length;
}

function meantBy(flow: Flow, step: number, before: readonly ApprovalEvent[]): People[] {
  const escalated = before.some((event) => event.type === 'approval.escalated' && event.data.step === step);
  const { approvers, escalation } = flow.steps[step]!;
  return escalated && escalation ? [approvers, escalation.to] : [approvers];
}

function isMeant(world: World, person: string, who: People): boolean {
  return !world.left.includes(person) && ((who.users?.includes(person) ?? false) || (who.groups?.some((group) => world.groups[group]?.includes(person)) ?? false));
}

function isDelegated(before: readonly ApprovalEvent[], vote: Of<'approval.voted'>, flow: Flow, now: number): boolean {
  return before.some((event) => {
    if (event.type !== 'approval.delegated') return false;
    const { from, to, until, scope } = event.data;
    return from === vote.seat && to === vote.person && now < until && (scope.step === undefined || scope.step === flow.steps[vote.step]!.name);
  });
}
