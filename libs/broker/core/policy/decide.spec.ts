import { describe, expect, it } from '@jest/globals';
import { HoldfastConfig, policyDocument } from '#libs/contracts';
import { ada, specConditions, specDigest } from '#libs/testing';
import { couldBeAllowed, decide, type Decision } from './decide.ts';
import type { OfferFacts } from './facts.ts';
import { compilePolicySet, type PolicySet } from './policy-set.ts';

const refund: OfferFacts = {
  method: 'tools/call',
  server: { id: 'billing', environment: 'prod', owner: undefined, dataClasses: [], systems: [] },
  name: 'refund',
  exposed: 'billing__refund',
  class: 'external',
  hash: 'h',
};

const configOf = (policies: readonly Record<string, unknown>[]): HoldfastConfig =>
  HoldfastConfig.parse({
    apiVersion: 'holdfast/v1',
    tenants: [{ id: 'acme', name: 'Acme' }],
    policies: policies.map((policy) => ({ tenant: 'acme', ...policy })),
  });

const policy = (...policies: Record<string, unknown>[]): PolicySet =>
  compilePolicySet(configOf(policies), 'acme', 3, { conditions: specConditions, digest: specDigest });

const judge = (
  set: PolicySet,
  args: Record<string, unknown> = {},
  more: { principal?: typeof ada; tool?: OfferFacts; now?: number } = {},
): Decision =>
  decide(
    set,
    {
      principal: more.principal ?? ada,
      tool: more.tool ?? refund,
      args,
      argsDigest: specDigest(JSON.stringify(args)),
      argsBytes: 10,
      context: { endpoint: '/mcp', protocol: '2025-11-25' },
      now: more.now ?? 1,
    },
    specDigest,
  );

const allow = { id: 'allow', effect: 'allow' };
const deny = { id: 'deny', effect: 'deny' };
const hold = { id: 'hold', effect: 'require_approval', flow: 'one' };

describe('a decision', () => {
  it('given no rule that matches, is a denial without a rule', () => {
    expect(judge(policy())).toMatchObject({ effect: 'deny', code: 'policy_denied', rule: null, matched: [] });
    expect(judge(policy({ ...allow, match: { servers: ['crm'] } }))).toMatchObject({ effect: 'deny', rule: null });
  });

  it('given allow, require_approval and deny in any order, deny wins and all are listed', () => {
    for (const rules of [
      [allow, hold, deny],
      [deny, allow, hold],
      [hold, deny, allow],
    ]) {
      expect(judge(policy(...rules))).toMatchObject({
        effect: 'deny',
        code: 'policy_denied',
        rule: 'deny',
        matched: ['deny', 'hold', 'allow'],
      });
    }
  });

  it('a priority never lifts a weaker effect over a stronger one', () => {
    expect(judge(policy({ ...allow, priority: 1000 }, { ...deny, priority: -1000 })).effect).toBe('deny');
    expect(judge(policy({ ...allow, priority: 1000 }, { ...hold, priority: -1000 })).effect).toBe('require_approval');
  });

  it('among require_approval the highest priority names the flow; the first of equals', () => {
    const rules = [
      { ...hold, id: 'low', priority: 1 },
      { ...hold, id: 'high', priority: 2, flow: 'two' },
      { ...hold, id: 'late', priority: 2, flow: 'three' },
      allow,
    ];
    expect(judge(policy(...rules))).toMatchObject({ effect: 'require_approval', rule: 'high', flow: 'two' });
  });

  it('a condition that cannot be evaluated denies, even where nothing else does and even when a later rule would allow', () => {
    for (const effect of ['allow', 'deny', 'require_approval']) {
      expect(judge(policy({ id: 'broken', effect, when: 'boom' }, allow))).toMatchObject({
        effect: 'deny',
        code: 'policy_error',
        rule: 'broken',
        matched: ['allow'],
      });
    }
  });

  it('a condition that is not asked does not fail', () => {
    expect(judge(policy({ id: 'broken', effect: 'deny', when: 'boom', match: { users: ['eve'] } }, allow)).effect).toBe('allow');
  });

  it('conditions look at the arguments', () => {
    const set = policy(allow, { ...deny, when: 'args.bad' });
    expect(judge(set, { bad: true })).toMatchObject({ effect: 'deny', rule: 'deny', matched: ['deny', 'allow'] });
    expect(judge(set, { bad: false })).toMatchObject({ effect: 'allow', rule: 'allow', matched: ['allow'] });
  });

  it.each([
    [{ servers: ['bill*'] }, true],
    [{ servers: ['crm'] }, false],
    [{ tools: ['refund'] }, true],
    [{ tools: ['billing__refund'] }, true],
    [{ tools: ['*list*'] }, false],
    [{ classes: ['external', 'write'] }, true],
    [{ classes: ['read'] }, false],
    [{ agents: ['bot'] }, true],
    [{ agents: ['other'] }, false],
    [{ users: ['a*'] }, true],
    [{ users: ['b*'] }, false],
    [{ groups: ['fin*'] }, true],
    [{ groups: ['admins'] }, false],
    [{ clients: ['cli'] }, true],
    [{ clients: ['web'] }, false],
    [{ environments: ['prod'] }, true],
    [{ environments: ['test'] }, false],
    [{ methods: ['tools/call'] }, true],
    [{ methods: ['resources/*'] }, false],
    [{ servers: [], tools: [] }, true],
  ])('match %j: %s', (match, matches) => {
    expect(judge(policy({ ...allow, match })).effect).toBe(matches ? 'allow' : 'deny');
  });

  it('a rule for agents does not match a caller without one', () => {
    const { agent: _, ...person } = ada;
    expect(judge(policy({ ...allow, match: { agents: ['*'] } }), {}, { principal: person }).effect).toBe('deny');
    expect(judge(policy(allow), {}, { principal: person }).effect).toBe('allow');
  });

  it('carries version and digest of the policy it was made by, and a digest of everything it depends on', () => {
    const rules = [allow];
    const decision = judge(policy(...rules));
    expect(decision).toMatchObject({
      policyVersion: 3,
      policyDigest: specDigest(policyDocument(configOf(rules), 'acme')),
      evaluator: 'holdfast-policy/1',
    });
    expect(judge(policy(...rules))).toEqual(decision);
    const others = [
      judge(policy(allow), { x: 1 }),
      judge(policy(allow), {}, { now: 2 }),
      judge(policy(allow), {}, { principal: { ...ada, groups: [] } }),
      judge(policy(allow), {}, { tool: { ...refund, hash: 'i' } }),
    ];
    expect(new Set([decision, ...others].map((each) => each.inputsDigest)).size).toBe(5);
  });

  it('lists at most 64 of the rules that matched, the settling one among them', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...allow, id: `a${i}` }));
    const { matched, rule } = judge(policy(...many, deny));
    expect([matched.length, rule, matched[0]]).toEqual([64, 'deny', 'deny']);
  });
});

describe('a policy whose conditions do not compile', () => {
  it('is refused as a whole, naming every rule', () => {
    const broken = [{ ...allow, id: 'a', when: '?' }, allow, { ...deny, id: 'b', when: '?' }];
    const refusal = expect.objectContaining({ code: 'config_invalid', message: expect.stringMatching(/policy a: .*; policy b: /) });
    expect(() => policy(...broken)).toThrow(refusal);
  });
});

describe('what a list shows', () => {
  it.each([
    ['nothing when no rule could allow', [], false],
    ['a tool that may be called', [allow], true],
    ['a tool that may be held', [hold], true],
    ['a tool that some arguments allow', [{ ...allow, when: 'args.good' }], true],
    ['a tool that some arguments deny', [allow, { ...deny, when: 'args.bad' }], true],
    ['not what is always denied', [allow, deny], false],
    ['what is denied to others', [allow, { ...deny, match: { users: ['eve'] } }], true],
    ['not what is allowed to others', [{ ...allow, match: { users: ['eve'] } }], false],
  ])('%s', (_, rules, shown) => {
    expect(couldBeAllowed(policy(...rules), ada, refund)).toBe(shown);
  });

  it('never hides what a decision would allow', () => {
    const effects = ['allow', 'deny', 'require_approval'];
    const sets = effects.flatMap((first) =>
      effects.flatMap((second) =>
        [undefined, 'args.bad'].map((when) =>
          policy({ id: 'one', effect: first, ...(when ? { when } : {}) }, { id: 'two', effect: second }),
        ),
      ),
    );
    const possible = sets.filter((set) => [{ bad: true }, {}].some((args) => judge(set, args).effect !== 'deny'));
    expect(possible.length).toBeGreaterThan(5);
    expect(possible.every((set) => couldBeAllowed(set, ada, refund))).toBe(true);
  });
});
