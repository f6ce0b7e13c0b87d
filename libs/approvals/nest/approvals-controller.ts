import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import type { ApprovalView, Decision, Opened, PeopleDesk, Rights } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { CurrentPrincipal, given, Once, parse, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { ApprovalsDependencies } from './approvals-dependencies.ts';
import { BreakGlassBody, CancelBody, deciderOf, DecisionBody, DelegateBody, isYes, ListQuery, personOf, ShowQuery } from './requests.ts';

/** Held calls, for everybody who has to do with them: each sees the approvals of the own tenant, and does what the flow lets them. */
@Controller('api/v1/approvals')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server', 'agent')
@UseInterceptors(Once)
export class ApprovalsController {
  private readonly people: PeopleDesk;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.people = deps.people;
  }

  @Get()
  list(@CurrentPrincipal() principal: Principal, @Query() query: unknown): Promise<{ readonly items: readonly ApprovalView[]; readonly next: string | null }> {
    const { tenant, state, mine, limit, after } = parse(ListQuery, query);
    if (tenant !== undefined && tenant !== principal.tenant) throw new Refusal('forbidden', 'you may read your own tenant only');
    return this.people.list(personOf(principal), given({ statuses: state, mine: isYes(mine), limit, after }));
  }

  /** With the arguments, for those who may see them; whoever may not sees everything else. What policy hides is shown to who asks for it. */
  @Get(':id')
  async show(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Query() query: unknown): Promise<ApprovalView & { readonly rights: Rights; readonly opened: Opened | null }> {
    const person = personOf(principal);
    const { unredacted } = parse(ShowQuery, query);
    const opened = await (isYes(unredacted) ? this.people.open(person, id) : this.people.look(person, id)).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'forbidden') return null;
      throw error;
    });
    const { view, rights } = await this.people.show(person, id);
    return { ...view, rights, opened };
  }

  @Post(':id/decisions')
  @HttpCode(200)
  decide(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body() body: unknown): Promise<Decision> {
    return this.people.decide(deciderOf(principal), id, given(parse(DecisionBody, body)));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body() body: unknown): Promise<ApprovalView> {
    return this.people.cancel(personOf(principal), id, parse(CancelBody, body).reason);
  }

  @Post(':id/break-glass')
  @HttpCode(200)
  breakGlass(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body() body: unknown): Promise<ApprovalView> {
    const { reason, version } = parse(BreakGlassBody, body);
    return this.people.breakGlass(deciderOf(principal), id, reason, version);
  }

  @Post(':id/delegations')
  @HttpCode(200)
  delegate(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body() body: unknown): Promise<ApprovalView> {
    const { to, until, step } = parse(DelegateBody, body);
    return this.people.delegate(deciderOf(principal), id, to, until, step);
  }
}
