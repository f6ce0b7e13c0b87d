import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ApprovalEvent } from '#libs/approvals/core';
import { digestOf } from '#libs/testing';
import { histories, type Step, toldOf, whyNotOfCore } from './spec/core-histories.ts';
import { check } from './spec/retold.ts';

/** `HOLDFAST_SPEC_SEED=<number>` repeats a run; its seed stands in the name of the spec. */
const seed = Number(process.env.HOLDFAST_SPEC_SEED ?? Math.floor(Math.random() * 2 ** 31));

const CHANGES = ['person', 'forged person', 'seat', 'digest', 'step', 'at', 'round', 'verdict', 'until', 'broker'] as const;
type Change = { readonly how: 'change'; readonly at: number; readonly what: (typeof CHANGES)[number]; readonly to: number };
type Mutation = { readonly how: 'drop' | 'duplicate' | 'swap'; readonly at: number; readonly with: number } | Change;

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ how: fc.constantFrom('drop' as const, 'duplicate' as const, 'swap' as const), at: fc.nat(60), with: fc.nat(60) }),
  fc.record({ how: fc.constant('change' as const), at: fc.nat(60), what: fc.constantFrom(...CHANGES), to: fc.nat(200) }),
);

/** The history with one event wrong; null when that changes nothing. */
function mutated(steps: readonly Step[], mutation: Mutation): readonly Step[] | null {
  const places = steps.flatMap((step, i) => ('event' in step ? [i] : []));
  const i = places[mutation.at % places.length]!;
  if (mutation.how === 'drop') return steps.toSpliced(i, 1);
  if (mutation.how === 'duplicate') return steps.toSpliced(i, 0, steps[i]!);
  if (mutation.how !== 'change') {
    const j = places[mutation.with % places.length]!;
    return i === j ? null : steps.with(i, steps[j]!).with(j, steps[i]!);
  }
  const step = steps[i]! as Extract<Step, { event: ApprovalEvent }>;
  const event = changed(step.event, mutation);
  return event && JSON.stringify(event) !== JSON.stringify(step.event) ? steps.with(i, { ...step, event }) : null;
}

const OTHERS = ['ben', 'cleo', 'dan', 'lena', 'rita', 'olga', 'grace', 'mallory'];

function changed({ type, actor, data, seal }: ApprovalEvent, { what, to }: Change): ApprovalEvent | null {
  const person = OTHERS[to % OTHERS.length]!;
  const who = type === 'approval.delegated' ? 'from' : 'person';
  const made = (more: object, by: object = actor): ApprovalEvent => ({ type, actor: by, data: { ...data, ...more }, ...(seal ? { seal } : {}) }) as ApprovalEvent;
  if (what === 'person') return who in data ? made({ [who]: person }) : null;
  if (what === 'forged person') return who in data ? made({ [who]: person, ...('seat' in data && data.seat === data.person ? { seat: person } : {}) }, { ...actor, user: person }) : null;
  if (what === 'seat') return 'seat' in data ? made({ seat: person }) : null;
  if (what === 'verdict') return 'verdict' in data ? made({ verdict: data.verdict === 'deny' ? 'approve' : 'deny' }) : null;
  if (what === 'step') return 'step' in data ? made({ step: to % 3 }) : null;
  if (what === 'round') return 'round' in data ? made({ round: 1 + (to % 3) }) : null;
  if (what === 'broker') return 'broker' in data ? made({ broker: '00000000-0000-4000-8000-000000000000' }) : null;
  if (what === 'at') return made({ at: data.at + (to - 100) * 60_000 });
  if (what === 'until') {
    if ('until' in data) return made({ until: data.until + (to - 100) * 60_000 });
    return 'claimUntil' in data ? made({ claimUntil: data.claimUntil + (to - 100) * 60_000 }) : null;
  }
  const digest = digestOf(['one', 'two', 'a', 'b'][to % 4]!);
  if ('argsDigest' in data) return made({ argsDigest: digest });
  if ('args' in data) return made({ args: { ...data.args, digest } });
  if (type === 'approval.edited') return made(to % 2 === 0 ? { to: { ...data.to, digest } } : { from: { ...data.from, digest } });
  return type === 'approval.requested' ? made({ binding: { ...data.binding, args: { ...data.binding.args, digest } } }) : null;
}

/** What the log says of what was executed, in the plainest words: enough people, other than who asked, approved what was claimed, in time. */
function isSound(steps: readonly Step[]): boolean {
  const events = steps.flatMap((step) => ('event' in step ? [step.event] : []));
  const of = <T extends ApprovalEvent['type']>(type: T, among = events): Extract<ApprovalEvent, { type: T }>['data'][] => among.flatMap((event) => (event.type === type ? [event.data as never] : []));
  const [claim, ...claims] = of('approval.claimed');
  if (!claim) return claims.length === 0;
  const [{ binding, flow, agentOwners }] = of('approval.requested') as [ReturnType<typeof of<'approval.requested'>>[number]];
  const approvals = of('approval.voted', events.slice(events.findLastIndex(({ type }) => type === 'approval.edited') + 1)).filter(({ verdict }) => verdict === 'approve');
  const deciders = [...approvals, ...of('approval.broke_glass')].map(({ person }) => person);
  const isApproved = flow.steps.every(({ need }, step) => new Set(approvals.filter((vote) => vote.step === step && vote.argsDigest === claim.args.digest).map(({ person }) => person)).size >= need);
  const until = of('approval.granted')[0]?.claimUntil ?? 0;
  const isOver = (['approval.denied', 'approval.expired', 'approval.cancelled', 'approval.killed'] as const).some((type) => of(type).length > 0);
  return claims.length === 0 && !isOver && claim.at < until && claim.toolHash === binding.toolHash && !deciders.some((person) => person === binding.user || agentOwners.includes(person)) && (isApproved || of('approval.broke_glass').length > 0);
}

describe('histories that the core of approvals makes', () => {
  it(`pass the check (HOLDFAST_SPEC_SEED=${seed})`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        for (const { draft } of toldOf(steps)) seen.set(draft.type, (seen.get(draft.type) ?? 0) + 1);
        expect(whyNotOfCore(steps)).toBeUndefined();
        expect((await check(toldOf(steps))).violations).toEqual([]);
      }),
      { seed, numRuns: 1_000 },
    );
    for (const [what, atLeast] of Object.entries(EXPECTED)) expect([what, (seen.get(what) ?? 0) >= atLeast]).toEqual([what, true]);
  });

  /**
   * The core itself says of each wrong history whether it could have made it. Of a hundred that it could not have made, 97 are
   * violations and about 2 are noted: a seat that nobody is known to have handed on, approvals that were enough and changed nothing.
   * Fewer than 1 is not seen, and it is always for the same reason: who is in a group, has a role or was still there is not in the log,
   * which broker claimed what was never allowed stands nowhere else, and reminders may come at any time.
   */
  it(`fail it with one event wrong, unless they are another history of the core (HOLDFAST_SPEC_SEED=${seed})`, async () => {
    const count = { valid: 0, found: 0, noted: 0, unseen: 0 };
    await fc.assert(
      fc.asyncProperty(histories, mutations, async (steps, mutation) => {
        const wrong = mutated(steps, mutation);
        if (!wrong) return;
        const why = whyNotOfCore(wrong);
        const { violations, notes } = await check(toldOf(wrong));
        const told = why === undefined ? 'valid' : violations.length > 0 ? 'found' : notes.length > 0 ? 'noted' : 'unseen';
        count[told]++;
        expect(why === undefined ? violations : []).toEqual([]);
        // What gets through must not be anything that was executed and should not have been.
        expect(told === 'found' || isSound(wrong)).toBe(true);
        expect(told === 'unseen' ? why : 'not_eligible').toMatch(NOT_IN_THE_LOG);
      }),
      { seed, numRuns: 6_000 },
    );
    const wrong = count.found + count.noted + count.unseen;
    expect(count.valid).toBeGreaterThan(100);
    expect(count.found).toBeGreaterThan(0.95 * wrong);
    expect(count.unseen).toBeLessThan(0.02 * wrong);
  });
});

/** Why the core refuses what the check cannot see: it knows people, and when it is time for a reminder. */
const NOT_IN_THE_LOG = /^(not_eligible|forbidden|delegation_chain|delegate_unknown|counted_already|not_due)$| (otherwise|by itself)$/;

/** Far enough from chance to fail only when the histories have changed. */
const EXPECTED: Readonly<Record<string, number>> = {
  'approval.claimed': 200,
  'approval.settled': 150,
  'call.completed': 100,
  'call.abandoned': 15,
  'call.outcome_unknown': 40,
  'approval.denied': 60,
  'approval.killed': 60,
  'approval.cancelled': 5,
  'approval.expired': 5,
  'approval.edited': 40,
  'approval.delegated': 60,
  'approval.escalated': 10,
  'approval.reminded': 10,
  'approval.broke_glass': 3,
};
