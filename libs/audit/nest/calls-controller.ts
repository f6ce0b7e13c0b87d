import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { CallRow, CallWithTimeline, Page } from '#libs/audit/core';
import { CurrentPrincipal, given, parse, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { GetCall, ListCalls } from './queries.ts';
import { CallsQuery, pageOf, tenantOf } from './requests.ts';

/** Calls as the log tells them: who, what, why and what happened, by digest; never arguments or results. */
@Controller('api/v1/calls')
@Roles('auditor', 'operator', 'admin')
export class CallsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get()
  list(@CurrentPrincipal() principal: Principal, @Query() query: unknown): Promise<Page<CallRow>> {
    const { tenant, limit, after, ...filter } = parse(CallsQuery, query);
    return this.queries.execute(new ListCalls(tenantOf(principal, tenant), given(filter), pageOf({ limit, after })));
  }

  @Get(':id')
  get(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<CallWithTimeline> {
    return this.queries.execute(new GetCall(principal.tenant, id));
  }
}
