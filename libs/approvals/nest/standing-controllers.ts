import { Body, Controller, Delete, Get, Inject, Param, Post, UseInterceptors } from '@nestjs/common';
import type { DelegationDesk, DelegationView, StandingDesk, StandingView } from '#libs/approvals/core';
import { CurrentPrincipal, given, Once, OnceId, parse, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { deciderOf, DelegationBody, personOf, StandingBody } from './requests.ts';

/** What was approved beforehand: everybody of the tenant sees it, who decides about such calls gives it. */
@Controller('api/v1/approvals/standing')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server')
@UseInterceptors(Once)
export class StandingController {
  private readonly standing: StandingDesk;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.standing = deps.standing;
  }

  @Get()
  async list(@CurrentPrincipal() principal: Principal): Promise<{ readonly items: readonly StandingView[] }> {
    return { items: await this.standing.list(personOf(principal)) };
  }

  @Post()
  create(@CurrentPrincipal() principal: Principal, @Body() body: unknown, @OnceId() id?: string): Promise<StandingView> {
    return this.standing.create(deciderOf(principal), parse(StandingBody, body), id);
  }

  @Delete(':id')
  revoke(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<StandingView> {
    return this.standing.revoke(deciderOf(principal), id);
  }
}

/** Rights to decide that people handed on for a time. */
@Controller('api/v1/approvals/delegations')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server')
@UseInterceptors(Once)
export class DelegationsController {
  private readonly delegations: DelegationDesk;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.delegations = deps.delegations;
  }

  @Get()
  async list(@CurrentPrincipal() principal: Principal): Promise<{ readonly items: readonly DelegationView[] }> {
    return { items: await this.delegations.list(personOf(principal)) };
  }

  @Post()
  create(@CurrentPrincipal() principal: Principal, @Body() body: unknown, @OnceId() id?: string): Promise<DelegationView> {
    const { to, until, ...scope } = parse(DelegationBody, body);
    return this.delegations.create(deciderOf(principal), { to, until, scope: given(scope) }, id);
  }

  @Delete(':id')
  revoke(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<DelegationView> {
    return this.delegations.revoke(deciderOf(principal), id);
  }
}
