export { ApplyConfiguration, ApprovalsDependencies, ApprovalsModule } from './approvals-module.ts';
