export { ApplyConfiguration, ApprovalsModule } from './approvals-module.ts';
export { ApprovalsDependencies } from './approvals-dependencies.ts';
export { LiveStreams } from './live/live-streams.ts';
