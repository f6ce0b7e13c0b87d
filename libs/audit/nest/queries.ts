import { Query } from '@nestjs/cqrs';
import type { CallFilter, CallRow, CallWithTimeline, CheckReport, EventFilter, Finding, LoggedEvent, Page, PageRequest, RememberedLog, VerifyReport } from '#libs/audit/core';

/** Called as a long reading goes on; what it throws ends the reading. */
export type Progress = (done: number, total: number) => void;

export class ListCalls extends Query<Page<CallRow>> {
  constructor(
    readonly tenant: string,
    readonly filter: CallFilter,
    readonly page: PageRequest,
  ) {
    super();
  }
}

export class GetCall extends Query<CallWithTimeline> {
  constructor(
    readonly tenant: string,
    readonly call: string,
  ) {
    super();
  }
}

export class ListEvents extends Query<Page<LoggedEvent>> {
  constructor(
    readonly tenant: string,
    readonly filter: EventFilter,
    readonly page: PageRequest,
  ) {
    super();
  }
}

export class ListFindings extends Query<Page<Finding>> {
  constructor(
    readonly tenant: string,
    readonly page: PageRequest,
  ) {
    super();
  }
}

export class VerifyLog extends Query<VerifyReport> {
  constructor(
    readonly tenant: string,
    readonly remembered: RememberedLog | undefined,
    readonly incremental: boolean,
    readonly progress: Progress,
  ) {
    super();
  }
}

export class CheckLog extends Query<CheckReport> {
  constructor(
    readonly tenant: string,
    readonly closed: boolean,
    readonly progress: Progress,
  ) {
    super();
  }
}
