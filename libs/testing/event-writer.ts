import { base64url, buildEvent, FIRST_POSITION, type ProducerPosition, sha256 } from '#libs/audit/core';
import { type EventData, type EventDraft, encodeSealed } from '#libs/contracts';
import type { JournalEntry, JournalRecord } from '#libs/ports';

const T0 = Date.UTC(2026, 0, 1);

/** A UUID (version 8) that is the same for the same name. */
export function uuidOf(name: string): string {
  const hex = Buffer.from(sha256(name)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const digestOf = (text: string): string => base64url(sha256(text));

/** Makes the events of one producer the way the recorder does, without clock or randomness: the same script gives the same bytes. */
export class EventWriter {
  readonly producer: string;
  private readonly positions = new Map<string, ProducerPosition>();
  private made = 0;

  constructor(readonly name: string) {
    this.producer = uuidOf(name);
  }

  write(draft: EventDraft): JournalRecord {
    const fields = Object.keys(draft.seal ?? {}).map((path) => ({ path, keyId: uuidOf(`key of ${draft.tenant}`), box: sha256(`${path} of ${this.name} ${this.made}`) }));
    const commitments = Object.fromEntries(fields.map((field) => [field.path, digestOf(`${field.path} ${this.name} ${this.made}`)]));
    const position = this.positions.get(draft.tenant) ?? FIRST_POSITION;
    const { bytes, next } = buildEvent(draft, { id: uuidOf(`${this.name} event ${this.made}`), timeMs: T0 + this.made, producer: this.producer, position, commitments });
    this.made++;
    this.positions.set(draft.tenant, next);
    return { tenant: draft.tenant, event: bytes, sealed: fields.length === 0 ? null : encodeSealed(fields) };
  }

  started(tenant: string): JournalRecord {
    return this.write({ ...base(tenant, this.producer), type: 'log.producer_started', actor: { via: 'system' }, links: {}, data: { app: 'broker', version: '0.0.0' } });
  }

  stopped(tenant: string): JournalRecord {
    return this.write({ ...base(tenant, this.producer), type: 'log.producer_stopped', actor: { via: 'system' }, links: {}, data: { app: 'broker' } });
  }

  requested(tenant: string, call: string, data: Partial<EventData<'call.requested'>> = {}): JournalRecord {
    return this.write({
      ...base(tenant, call),
      type: 'call.requested',
      data: {
        server: 'billing', tool: 'refund', exposed: 'billing__refund', toolHash: digestOf('refund'), class: 'external', argsDigest: digestOf(call), argsBytes: 12, argsAbsent: false,
        protocol: '2025-11-25', endpoint: '/mcp', scopes: { requested: ['call'], granted: ['call'] }, ...data,
      },
      seal: { '/args': { call } },
    });
  }

  decided(tenant: string, call: string, effect: 'allow' | 'deny' | 'require_approval' = 'allow'): JournalRecord {
    return this.write({
      ...base(tenant, call),
      type: 'policy.decided',
      data: { effect, stage: 'policy', ...(effect === 'allow' ? {} : { code: 'policy_denied' }), rule: 'a-rule', matched: ['a-rule'], reason: 'because', policyVersion: 3, policyDigest: digestOf('policy'), inputsDigest: digestOf('inputs'), evaluator: 'cel' },
    });
  }

  completed(tenant: string, call: string, outcome: 'succeeded' | 'failed' | 'unknown' = 'succeeded'): JournalRecord {
    return this.write({
      ...base(tenant, call),
      type: 'call.completed',
      data: { outcome, class: 'external', ...(outcome === 'succeeded' ? {} : { errorClass: 'upstream_timeout' }), upstream: { server: 'billing', requestId: `r-${call}` }, resultDigest: digestOf(`result ${call}`), resultBytes: 99, latency: { totalUs: 1000, policyUs: 10, logUs: 400, upstreamUs: 500 }, rollback: 'available' },
      seal: { '/result': { ok: true } },
    });
  }

  abandoned(tenant: string, call: string): JournalRecord {
    return this.write({ ...base(tenant, call), type: 'call.abandoned', data: { reason: 'journal_late' } });
  }

  outcomeUnknown(tenant: string, call: string, broker: string): JournalRecord {
    return this.write({ ...base(tenant, call), type: 'call.outcome_unknown', actor: { via: 'system' }, data: { reason: 'broker_lost', broker } });
  }

  /** All of an allowed call. */
  call(tenant: string, call: string, outcome: 'succeeded' | 'failed' | 'unknown' = 'succeeded'): JournalRecord[] {
    return [this.requested(tenant, call), this.decided(tenant, call), this.completed(tenant, call, outcome)];
  }
}

function base(tenant: string, corr: string): { tenant: string; actor: EventDraft['actor']; corr: string; links: EventDraft['links'] } {
  return { tenant, actor: { user: 'ada', client: 'claude-code', agent: 'billing-bot', via: 'mcp' }, corr, links: { call: corr, run: 'run-1' } };
}

/** Records as a journal would hand them out. */
export function asEntries(records: readonly JournalRecord[], from = 0n): JournalEntry[] {
  return records.map((record, i) => ({ ...record, position: from + BigInt(i), at: T0 + Number(from) + i }));
}
