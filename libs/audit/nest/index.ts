export { AuditModule } from './audit-module.ts';
export { CheckLog, GetCall, ListCalls, ListEvents, ListFindings, type Progress, VerifyLog } from './queries.ts';
