import type { ApprovalStore, DelegationDesk, Notifier, PeopleDesk, ReviewLinks, StandingDesk, Sweep } from '#libs/approvals/core';
import type { ConsoleSessions } from '#libs/platform';
import type { BrokerLeases, Clock, ConfigurationStore, EndedSessions, IdempotencyStore, Jobs, Journal, OpenCalls, Outbox, Recorder } from '#libs/ports';
import type { SlackEdge } from './slack/slack-edge.ts';

/** What the approval service is made of; composition makes it. */
export interface ApprovalsDependencies {
  readonly people: PeopleDesk;
  readonly standing: StandingDesk;
  readonly delegations: DelegationDesk;
  readonly store: ApprovalStore;
  readonly reviewLinks: ReviewLinks;
  readonly idempotency: IdempotencyStore;
  readonly sessions: ConsoleSessions;
  readonly endedSessions: EndedSessions;
  readonly sweep: Sweep;
  readonly jobs: Jobs;
  readonly notifier: Notifier;
  readonly configuration: ConfigurationStore;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly leases: BrokerLeases;
  readonly openCalls: OpenCalls;
  readonly recorder: Recorder;
  readonly deliver: (broker: string) => Promise<unknown>;
  readonly clock: Clock;
  /** How long a broker's lease lasts. */
  readonly leaseMs: number;
  readonly digestOf: (text: string) => string;
  readonly slack: SlackEdge;
}
export const ApprovalsDependencies = Symbol('ApprovalsDependencies');
