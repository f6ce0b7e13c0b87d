export { applyConfiguration } from './apply-configuration.ts';
export { digestWith, type PlannedRevision, planRevision } from './plan-revision.ts';
export { relayOutbox } from './relay-outbox.ts';
export { settleLostBrokers } from './settle-lost-brokers.ts';
