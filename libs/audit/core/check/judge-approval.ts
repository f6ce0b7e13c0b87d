import { canonicalJson } from '#libs/contracts';
import { type ApprovalHistory, type HeldEvent, type HeldEventOf, type HeldEventType, SAID, whyNothingCanRelease, whyNotNow, whyNotSo } from './approval-history.ts';
import { count, isDelegated, isMeant, neverDecides, standing, whyNotApproved, whyNotCounted } from './approval-votes.ts';
import { sameArguments } from './asked.ts';
import { type CallHistory, judgeSettled } from './call-history.ts';
import type { Say } from './judgement.ts';

/** An event with what came before it. `wrong` says what is wrong with it, `note` what a reader should know. */
interface Case<T extends HeldEventType> {
  readonly history: ApprovalHistory;
  readonly data: HeldEventOf<T>['data'];
  readonly index: number;
  readonly call: CallHistory | undefined;
  /** What had to come next, and so is this one, or is wrong. */
  readonly expected: HeldEventType | null;
  readonly wrong: (why: string) => void;
  readonly note: (what: string) => void;
  readonly say: Say;
}

/**
 * Judges one more event of an approval against what came before and takes it into its history, and into that of its call. What is
 * wrong is said once: a vote that does not count is not counted, a claim that should not be still releases.
 */
export function judgeApproval(history: ApprovalHistory, event: HeldEvent, index: number, call: CallHistory | undefined, say: Say): void {
  const told = `approval ${history.approval} was ${SAID[event.type]} at ${index}`;
  const wrong = (why: string): void => say('I4', `${told}, ${why}`);
  const out = whyNotNow(history, event);
  if (out !== undefined) {
    wrong(out);
    if (event.type === 'approval.claimed') takeRight(history, event.data, index, call);
    return;
  }
  const why = whyNotSo(history, event);
  if (why !== undefined) wrong(why);
  const note = (what: string): void => say('note', `${told} ${what}`);
  if (history.approvedAt !== null && !FOLLOWS_APPROVAL.has(event.type) && whyNotApproved(history, history.step + 1) === undefined) {
    note(`although step ${history.flow.steps[history.step]!.name} had its approvals; who gave them may have left`);
  }
  const expected = history.next?.type ?? null;
  history.next = null;
  if (event.type !== 'approval.step_opened') history.approvedAt = event.type === 'approval.voted' && event.data.verdict === 'approve' ? event.data.at : null;
  const judge = JUDGES[event.type] as (one: Case<typeof event.type>) => void;
  // A vote that was given too late or in another's name does not count, and so on: the rest of it does not matter.
  if (why !== undefined && COUNTS_ONLY_WHEN_RIGHT.has(event.type)) return;
  judge({ history, data: event.data, index, call, expected, wrong, note, say });
}

const FOLLOWS_APPROVAL: ReadonlySet<HeldEventType> = new Set(['approval.step_opened', 'approval.granted']);
const COUNTS_ONLY_WHEN_RIGHT: ReadonlySet<HeldEventType> = new Set(['approval.voted', 'approval.delegated', 'approval.escalated']);

/** What a claim does, good or bad: the first one is the one that a call is judged by. */
export function release(approval: string, { broker, policyVersion }: HeldEventOf<'approval.claimed'>['data'], index: number, call: CallHistory | undefined): void {
  if (call) call.release ??= { index, approval, claim: { broker, policyVersion } };
}

function takeRight(history: ApprovalHistory, data: HeldEventOf<'approval.claimed'>['data'], index: number, call: CallHistory | undefined): void {
  release(history.approval, data, index, call);
  if (history.status !== 'claimed') Object.assign(history, { status: 'claimed', since: { index, how: 'claimed' } });
}

const JUDGES: { readonly [T in HeldEventType]: (one: Case<T>) => void } = {
  'approval.requested': () => undefined,

  'approval.step_opened': ({ history, data: { step, round, name, need, deny, at }, expected, wrong }) => {
    const planned = history.flow.steps[step];
    if (!planned || planned.name !== name || planned.need !== need || planned.deny !== deny) wrong('which is not in its flow like that');
    if (round !== history.round) wrong(`in round ${round}, not ${history.round}`);
    if (expected === 'approval.step_opened' && step !== 0) wrong(`in step ${step}, though it begins with the first`);
    const open = expected === null ? whyNotNext(history, step) : undefined;
    if (open !== undefined) wrong(open);
    if (planned) Object.assign(history, { step, openedAt: at });
    if (history.editor) history.next = { type: 'approval.voted', at };
  },

  'approval.voted': ({ history, data, wrong, note }) => {
    const { editor } = history;
    if (editor && editor.person !== data.person) wrong(`by ${data.person}, before ${editor.person}, whose edit it was`);
    const why = history.status === 'approved' && data.verdict === 'approve' ? 'with an approval it does not need any more' : whyNotCounted(history, data);
    history.editor = null;
    if (why !== undefined) return wrong(`by ${data.person}, ${why}`);
    if (data.seat !== data.person && !isDelegated(history, data, data.at)) note(`by ${data.person} for ${data.seat}; by which delegation is not in the log`);
    history.votes.set(data.person, data);
    if (data.verdict === 'deny' && count(history, history.step, 'deny') >= history.flow.steps[history.step]!.deny) history.next = { type: 'approval.denied', at: data.at };
  },

  'approval.reminded': ({ history, data: { step, number }, wrong }) => {
    const before = history.reminders.get(step) ?? 0;
    if (step !== history.step) wrong('in a step that was not open');
    if (number !== before + 1) wrong(`as number ${number}, after ${before}`);
    history.reminders.set(step, number);
  },

  'approval.escalated': ({ history, data: { step, to, at }, wrong }) => {
    const plan = history.flow.steps[step]?.escalation;
    if (step !== history.step) wrong('in a step that was not open');
    if (history.escalated.has(step)) wrong('a second time in the same step');
    if (!plan || canonicalJson(plan.to) !== canonicalJson(to)) return wrong('to people who are not in its flow');
    if (at < history.openedAt + plan.afterMs) wrong('before it was due');
    history.escalated.add(step);
  },

  'approval.delegated': ({ history, data, wrong }) => {
    const { from, to, until, at } = data;
    if (neverDecides(history, from) || neverDecides(history, to)) return wrong(`from ${from} to ${to}, one of whom asked for the call or owned its agent`);
    if (from === to || until <= at) wrong('to nobody or for no time');
    if (history.delegations.some((made) => canonicalJson({ ...made, at }) === canonicalJson(data))) wrong('a second time');
    history.delegations.push(data);
  },

  'approval.edited': ({ history, data: { person, round, from, to, at }, wrong }) => {
    if (neverDecides(history, person)) wrong(`by ${person}, who asked for the call or owned its agent`);
    if (round !== history.round + 1) wrong(`in round ${round}, after round ${history.round}`);
    if (!sameArguments(from, history.args)) wrong('from arguments other than those that were asked about');
    if (sameArguments(from, to)) wrong('without a change');
    history.editor = { person, step: history.step };
    Object.assign(history, { round, args: to, next: { type: 'approval.step_opened', at } });
  },

  'approval.broke_glass': ({ history, data: { person, argsDigest, at }, wrong }) => {
    const { breakGlass } = history.flow;
    if (neverDecides(history, person)) wrong(`by ${person}, who asked for the call or owned its agent`);
    if (breakGlass === null) wrong('which its flow does not have');
    else if (isMeant(person, breakGlass) === false) wrong(`by ${person}, who may not`);
    if (argsDigest !== history.args.digest) wrong('about other arguments');
    history.next = { type: 'approval.granted', at };
  },

  'approval.granted': ({ history, data: { by, args, claimUntil, postReview, at }, index, expected, wrong }) => {
    const glass = expected === 'approval.granted';
    if ((by === 'break_glass') !== glass) wrong(glass ? 'as if by quorum' : 'and nobody had broken the glass');
    const missing = by === 'quorum' ? whyNotApproved(history, history.flow.steps.length) : undefined;
    if (missing !== undefined) wrong(missing);
    if (by === 'quorum' && history.step !== history.flow.steps.length - 1) wrong('before its last step was open');
    if (!sameArguments(args, history.args)) wrong('for arguments other than those that were asked about');
    if (claimUntil !== at + history.flow.grantForMs) wrong('for another time than its flow says');
    if (postReview !== glass) wrong(glass ? 'without a review' : 'with a review');
    Object.assign(history, { status: 'approved', since: { index, how: 'granted' }, until: claimUntil, args, glass });
  },

  'approval.claimed': ({ history, data, index, call, wrong, note }) => {
    const { args, toolHash, at } = data;
    if (!sameArguments(args, history.args)) wrong('for arguments other than those that were granted');
    if (toolHash !== history.binding.toolHash) wrong('for a tool that is not the one that was approved');
    const late = call && whyNothingCanRelease(call);
    if (late !== undefined) wrong(late);
    const denied = history.flow.steps.findIndex(({ deny }, step) => count(history, step, 'deny') >= deny);
    if (denied !== -1) wrong('although it was denied');
    for (const vote of history.glass ? [] : standing(history)) {
      if (vote.seat !== vote.person && isDelegated(history, vote, vote.at) && !isDelegated(history, vote, at)) note(`on the vote of ${vote.person} for ${vote.seat}, whose delegation was over`);
    }
    takeRight(history, data, index, call);
  },

  'approval.settled': ({ history, data: { outcome }, index, call, say }) => {
    Object.assign(history, { status: 'over', since: { index, how: 'settled' } });
    if (!call || call.settled) return;
    call.settled = { index, approval: history.approval, outcome };
    if (!call.allowed) call.closed ??= { index, how: `settled as ${outcome}` };
    const judgement = judgeSettled(call);
    if (judgement) say(judgement.invariant, judgement.sentence);
  },

  'approval.denied': (one) => {
    if (one.data.step !== one.history.step) one.wrong('in a step that was not open');
    end(one, 'denied');
  },

  'approval.expired': (one) => {
    const { history, data, wrong } = one;
    if (data.at < history.until) wrong('before its time was over');
    if (data.was !== history.status) wrong(`as if it was ${data.was}; it was ${history.status}`);
    end(one, 'expired');
  },

  'approval.cancelled': (one) => {
    const { history, data, wrong } = one;
    if ((data.as === 'requester') !== (data.person === history.binding.user)) wrong(`by ${data.person} as ${data.as}`);
    end(one, 'cancelled');
  },

  'approval.killed': (one) => end(one, 'killed'),
};

/** Over before it was claimed: nothing is executed for its call. */
function end({ history, index, call }: Pick<Case<HeldEventType>, 'history' | 'index' | 'call'>, how: string): void {
  Object.assign(history, { status: 'over', since: { index, how } });
  if (call) call.closed ??= { index, how };
}

/** Steps come one after the other, each when all before it are approved. */
function whyNotNext(history: ApprovalHistory, step: number): string | undefined {
  return step === history.step + 1 ? whyNotApproved(history, step) : `in step ${step}, after step ${history.step}`;
}
