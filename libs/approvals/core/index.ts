export { applyConfiguration } from './apply-configuration.ts';
export { digestWith, type PlannedRevision, planRevision } from './plan-revision.ts';
export { relayOutbox } from './relay-outbox.ts';
export { LostBrokers, type LostBrokersDependencies } from './lost-brokers.ts';
