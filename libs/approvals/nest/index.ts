export { ApplyConfiguration, ApprovalsModule } from './approvals-module.ts';
export { ApprovalsDependencies } from './approvals-dependencies.ts';
