import type { Effect, EventData, EventDraft } from '#libs/contracts';
import { digestOf } from './named-ids.ts';

/** What a broker says about a call of ada's billing-bot. */

export type Outcome = EventData<'call.completed'>['outcome'];
type Draft<T extends EventDraft['type']> = Extract<EventDraft, { type: T }>;

export function about(tenant: string, corr: string): Pick<EventDraft, 'tenant' | 'actor' | 'corr' | 'links'> {
  return { tenant, actor: { user: 'ada', client: 'claude-code', agent: 'billing-bot', via: 'mcp' }, corr, links: { call: corr, run: 'run-1' } };
}

export function callRequested(tenant: string, call: string, data: Partial<EventData<'call.requested'>> = {}): Draft<'call.requested'> {
  return {
    ...about(tenant, call),
    type: 'call.requested',
    data: {
      server: 'billing', tool: 'refund', exposed: 'billing__refund', toolHash: digestOf('refund'), class: 'external', argsDigest: digestOf(call), argsBytes: 12, argsAbsent: false,
      protocol: '2025-11-25', endpoint: '/mcp', scopes: { requested: ['call'], granted: ['call'] }, ...data,
    },
    seal: { '/args': { call } },
  };
}

export function policyDecided(tenant: string, call: string, effect: Effect = 'allow', data: Partial<EventData<'policy.decided'>> = {}): Draft<'policy.decided'> {
  return {
    ...about(tenant, call),
    type: 'policy.decided',
    data: {
      effect, stage: 'policy', ...(effect === 'allow' ? {} : { code: 'policy_denied' }), rule: 'a-rule', matched: ['a-rule'], reason: 'because',
      policyVersion: 3, policyDigest: digestOf('policy'), inputsDigest: digestOf('inputs'), evaluator: 'cel', ...data,
    },
  };
}

export function callCompleted(tenant: string, call: string, outcome: Outcome = 'succeeded'): Draft<'call.completed'> {
  return {
    ...about(tenant, call),
    type: 'call.completed',
    data: {
      outcome, class: 'external', ...(outcome === 'succeeded' ? {} : { errorClass: 'upstream_timeout' }), upstream: { server: 'billing', requestId: `r-${call}` },
      resultDigest: digestOf(`result ${call}`), resultBytes: 99, latency: { totalUs: 1000, policyUs: 10, logUs: 400, upstreamUs: 500 }, rollback: 'available',
    },
    seal: { '/result': { ok: true } },
  };
}

export function callAbandoned(tenant: string, call: string): Draft<'call.abandoned'> {
  return { ...about(tenant, call), type: 'call.abandoned', data: { reason: 'journal_late' } };
}

export function callOutcomeUnknown(tenant: string, call: string, broker: string): Draft<'call.outcome_unknown'> {
  return { ...about(tenant, call), type: 'call.outcome_unknown', actor: { via: 'system' }, data: { reason: 'broker_lost', broker } };
}
