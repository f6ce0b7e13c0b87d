import type { PeopleDesk, Sweep } from '#libs/approvals/core';
import type { BrokerLeases, Clock, ConfigurationStore, Journal, OpenCalls, Outbox, Recorder } from '#libs/ports';
import type { SlackEdge } from './slack/slack-edge.ts';

/** What the approval service is made of; composition makes it. */
export interface ApprovalsDependencies {
  readonly people: PeopleDesk;
  readonly sweep: Sweep;
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
  readonly slack: SlackEdge & {
    /** One round of telling Slack, while nothing else does. */
    readonly standIn: () => Promise<void>;
  };
}
export const ApprovalsDependencies = Symbol('ApprovalsDependencies');
