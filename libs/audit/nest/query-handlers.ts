import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { auditCheck, AuditReader, type CallRow, type CallWithTimeline, type CheckReport, type Finding, type LoggedEvent, type Page, verifyLog, type VerifyReport } from '#libs/audit/core';
import { Refusal } from '#libs/contracts';
import { CheckLog, GetCall, ListCalls, ListEvents, ListFindings, VerifyLog } from './queries.ts';

@QueryHandler(ListCalls)
export class ListCallsHandler implements IQueryHandler<ListCalls, Page<CallRow>> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  execute(query: ListCalls): Promise<Page<CallRow>> {
    return this.reader.calls(query.tenant, query.filter, query.page);
  }
}

@QueryHandler(GetCall)
export class GetCallHandler implements IQueryHandler<GetCall, CallWithTimeline> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  async execute(query: GetCall): Promise<CallWithTimeline> {
    const found = await this.reader.call(query.tenant, query.call);
    if (!found) throw new Refusal('not_found', 'there is no such call');
    return found;
  }
}

@QueryHandler(ListEvents)
export class ListEventsHandler implements IQueryHandler<ListEvents, Page<LoggedEvent>> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  execute(query: ListEvents): Promise<Page<LoggedEvent>> {
    return this.reader.events(query.tenant, query.filter, query.page);
  }
}

@QueryHandler(ListFindings)
export class ListFindingsHandler implements IQueryHandler<ListFindings, Page<Finding>> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  execute(query: ListFindings): Promise<Page<Finding>> {
    return this.reader.findings(query.tenant, query.page);
  }
}

@QueryHandler(VerifyLog)
export class VerifyLogHandler implements IQueryHandler<VerifyLog, VerifyReport> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  execute({ tenant, remembered, incremental, progress }: VerifyLog): Promise<VerifyReport> {
    return this.reader.atOneMoment(tenant, (log) => verifyLog(log, { ...(remembered === undefined ? {} : { remembered }), incremental, progress }));
  }
}

@QueryHandler(CheckLog)
export class CheckLogHandler implements IQueryHandler<CheckLog, CheckReport> {
  constructor(@Inject(AuditReader) private readonly reader: AuditReader) {}

  execute({ tenant, closed, progress }: CheckLog): Promise<CheckReport> {
    return this.reader.atOneMoment(tenant, async (log) => {
      const total = (await log.head())?.size ?? 0;
      return auditCheck(log.entries(0), { closed, progress: (done) => progress(done, total) });
    });
  }
}

export const queryHandlers = [ListCallsHandler, GetCallHandler, ListEventsHandler, ListFindingsHandler, VerifyLogHandler, CheckLogHandler];
