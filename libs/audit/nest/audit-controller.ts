import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { exitCodeOf, type Finding, type LoggedEvent, type Page, type Verdict } from '#libs/audit/core';
import { Refusal } from '#libs/contracts';
import { CurrentPrincipal, given, parse, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { progressLines } from './progress-stream.ts';
import { CheckLog, ListEvents, ListFindings, type Progress, VerifyLog } from './queries.ts';
import { CheckBody, EventsQuery, FindingsQuery, pageOf, tenantOf, VerifyBody } from './requests.ts';

interface Reply {
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
}

/** Each reads a whole log on a database connection of its own. */
const MAX_READINGS = 2;

/** The log itself, for auditors of the tenant it belongs to. */
@Controller('api/v1/audit')
@Roles('auditor')
export class AuditController {
  private readings = 0;

  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get('events')
  events(@CurrentPrincipal() principal: Principal, @Query() query: unknown): Promise<Page<LoggedEvent>> {
    const { tenant, limit, after, ...filter } = parse(EventsQuery, query);
    return this.queries.execute(new ListEvents(tenantOf(principal, tenant), given(filter), pageOf({ limit, after })));
  }

  @Get('findings')
  findings(@CurrentPrincipal() principal: Principal, @Query() query: unknown): Promise<Page<Finding>> {
    const { tenant, ...page } = parse(FindingsQuery, query);
    return this.queries.execute(new ListFindings(tenantOf(principal, tenant), pageOf(page)));
  }

  @Post('verify')
  @HttpCode(200)
  verify(@CurrentPrincipal() principal: Principal, @Body() body: unknown, @Headers('accept') accept: string | undefined, @Res() reply: Reply): Promise<void> {
    const { tenant, remembered, incremental } = parse(VerifyBody, body);
    if (incremental && !remembered) throw new Refusal('request_invalid', 'incremental needs remembered: the size, frontier and chain of an earlier verification');
    const own = tenantOf(principal, tenant);
    return this.read(accept, reply, (progress) => this.queries.execute(new VerifyLog(own, remembered, incremental, progress)));
  }

  @Post('check')
  @HttpCode(200)
  check(@CurrentPrincipal() principal: Principal, @Body() body: unknown, @Headers('accept') accept: string | undefined, @Res() reply: Reply): Promise<void> {
    const { tenant, closed } = parse(CheckBody, body);
    const own = tenantOf(principal, tenant);
    return this.read(accept, reply, (progress) => this.queries.execute(new CheckLog(own, closed, progress)));
  }

  /** The report with its exit code: as lines with progress for whoever accepts them, else as one JSON object. */
  private async read<R extends { readonly verdict: Verdict }>(accept: string | undefined, reply: Reply, reading: (progress: Progress) => Promise<R>): Promise<void> {
    this.admit();
    // Counted from when it begins: the lines of a client that left at once are never asked for.
    const work = async (progress: Progress): Promise<R & { readonly exitCode: number }> => {
      this.admit();
      this.readings++;
      try {
        const report = await reading(progress);
        return { ...report, exitCode: exitCodeOf(report.verdict) };
      } finally {
        this.readings--;
      }
    };
    if (accept?.includes('application/x-ndjson') !== true) {
      reply.send(await work(() => undefined));
      return;
    }
    reply.header('content-type', 'application/x-ndjson').send(ReadableStream.from(progressLines(work)));
  }

  private admit(): void {
    if (this.readings >= MAX_READINGS) throw new Refusal('overloaded', 'other verifications are running; try again when they are done');
  }
}
