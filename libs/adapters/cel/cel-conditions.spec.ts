import { describe, expect, it } from '@jest/globals';
import { CONDITION_VARIABLES, type ConditionVariables } from '#libs/broker/core';
import { CelConditions } from './cel-conditions.ts';

const conditions = new CelConditions();

const variables = (args: Record<string, unknown>): ConditionVariables => ({
  args,
  tool: { name: 'refund', exposed: 'billing__refund', class: 'external', hash: 'h' },
  server: { id: 'billing', environment: 'prod', owner: '', dataClasses: ['finance'], systems: [] },
  user: { id: 'ada', groups: ['finance'], roles: ['agent'] },
  agent: { id: 'bot' },
  client: { id: 'cli' },
  tenant: { id: 'acme' },
  context: { method: 'tools/call', endpoint: '/mcp', protocol: '2025-11-25', ip: '', run: '', input: '' },
  now: new Date(Date.UTC(2026, 0, 2)),
});

function evaluate(expression: string, args: Record<string, unknown> = {}, bytes = 100): boolean {
  const compiled = conditions.compile(expression, CONDITION_VARIABLES);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.condition.evaluate(variables(args), bytes);
}

function problem(expression: string): string {
  const compiled = conditions.compile(expression, CONDITION_VARIABLES);
  return compiled.ok ? '' : compiled.problem;
}

describe('conditions in CEL', () => {
  it.each([
    ['args.amount > 500.0', { amount: 501 }, true],
    ['args.amount > 500', { amount: 500 }, false],
    ['args.amount == 500', { amount: 500 }, true],
    ['has(args.note) && args.note == "x"', {}, false],
    ['"finance" in user.groups && server.environment == "prod"', {}, true],
    ['args.items.all(i, i.tags.exists(t, t == "ok"))', { items: [{ tags: ['ok'] }] }, true],
    ['args.to.filter(a, a.endsWith("@acme.test")).size() == args.to.size()', { to: ['a@acme.test'] }, true],
    ['now < timestamp("2027-01-01T00:00:00Z")', {}, true],
  ])('%s over %j is %s', (expression, args, expected) => {
    expect(evaluate(expression, args)).toBe(expected);
  });

  it.each(['args.missing > 1', 'args.constructor == 1', 'args.__proto__ == 1', 'args.amount + 1 > 2'])(
    '%s cannot be evaluated, and says so by throwing',
    (expression) => {
      expect(() => evaluate(expression, { amount: 5 })).toThrow();
    },
  );

  it.each([
    ['user.idd == "ada"', /idd/],
    ['amount > 1', /amount/],
    ['args.amount', /not bool/],
    ['1 +', /./],
    ['user.id.matches("(a+)+$")', /matches/],
    ['args.l.all(x, args.l.all(y, x == y))', /part of the element/],
    ['args.l.all(x, x in args.l)', /part of the element/],
    ['args.l.map(x, args.l).all(l, l.all(y, y in args.l))', /part of the element/],
    ['('.repeat(40) + 'true' + ')'.repeat(40), /./],
    [Array.from({ length: 600 }, () => 'true').join(' && '), /./],
  ])('refuses %s when the policy is loaded', (expression, expected) => {
    expect(problem(expression)).toMatch(expected);
  });

  it('does not iterate over large arguments', () => {
    expect(() => evaluate('args.l.all(x, x > 0)', { l: [1] }, 70_000)).toThrow(/too large/);
    expect(evaluate('args.n > 0', { n: 1 }, 70_000)).toBe(true);
  });
});
