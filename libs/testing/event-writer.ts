import { buildEvent, FIRST_POSITION, type ProducerPosition, sha256 } from '#libs/audit/core';
import { type Effect, type EventData, type EventDraft, encodeSealed } from '#libs/contracts';
import type { JournalEntry, JournalRecord } from '#libs/ports';
import { about, callAbandoned, callCompleted, callOutcomeUnknown, callRequested, type Outcome, policyDecided } from './call-drafts.ts';
import { digestOf, uuidOf } from './named-ids.ts';

const T0 = Date.UTC(2026, 0, 1);

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
    return this.write({ ...about(tenant, this.producer), type: 'log.producer_started', actor: { via: 'system' }, links: {}, data: { app: 'broker', version: '0.0.0' } });
  }

  stopped(tenant: string): JournalRecord {
    return this.write({ ...about(tenant, this.producer), type: 'log.producer_stopped', actor: { via: 'system' }, links: {}, data: { app: 'broker' } });
  }

  requested(tenant: string, call: string, data: Partial<EventData<'call.requested'>> = {}): JournalRecord {
    return this.write(callRequested(tenant, call, data));
  }

  decided(tenant: string, call: string, effect: Effect = 'allow', data: Partial<EventData<'policy.decided'>> = {}): JournalRecord {
    return this.write(policyDecided(tenant, call, effect, data));
  }

  completed(tenant: string, call: string, outcome: Outcome = 'succeeded'): JournalRecord {
    return this.write(callCompleted(tenant, call, outcome));
  }

  abandoned(tenant: string, call: string): JournalRecord {
    return this.write(callAbandoned(tenant, call));
  }

  outcomeUnknown(tenant: string, call: string, broker: string): JournalRecord {
    return this.write(callOutcomeUnknown(tenant, call, broker));
  }

  /** All of an allowed call. */
  call(tenant: string, call: string, outcome: Outcome = 'succeeded'): JournalRecord[] {
    return [this.requested(tenant, call), this.decided(tenant, call), this.completed(tenant, call, outcome)];
  }
}

/** Records as a journal would hand them out. */
export function asEntries(records: readonly JournalRecord[], from = 0n): JournalEntry[] {
  return records.map((record, i) => ({ ...record, position: from + BigInt(i), at: T0 + Number(from) + i }));
}
