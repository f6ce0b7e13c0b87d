import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { AccountToLink, SignedIn, SlackLinking } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { CurrentPrincipal, parse, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';

const LinkBody = z.strictObject({ nonce: z.string().min(1).max(200) });

/** Links of Slack accounts, for the person who signed in. */
@Controller('api/v1/slack/links')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server')
export class SlackLinksController {
  private readonly linking: SlackLinking;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.linking = deps.slack.linking;
  }

  /** Whose account it is; so that nobody confirms what they do not know. */
  @Get(':nonce')
  @Header('cache-control', 'no-store')
  look(@CurrentPrincipal() principal: Principal, @Param('nonce') nonce: string): Promise<AccountToLink> {
    return this.linking.look(signedIn(principal, 'api'), nonce);
  }

  @Post()
  @HttpCode(200)
  async link(@CurrentPrincipal() principal: Principal, @Body() body: unknown): Promise<AccountToLink & { readonly person: string }> {
    const person = signedIn(principal, 'api');
    return { ...(await this.linking.accept(person, parse(LinkBody, body).nonce)), person: person.id };
  }

  /** Ends the own link. */
  @Delete()
  @HttpCode(200)
  async unlink(@CurrentPrincipal() principal: Principal): Promise<{ readonly ended: boolean }> {
    return { ended: await this.linking.end(signedIn(principal, 'api')) };
  }
}

/** A person, by a credential of their own: one that was given to an agent speaks for the agent. */
export function signedIn({ tenant, user, agent }: Principal, via: SignedIn['via']): SignedIn {
  if (agent !== undefined) throw new Refusal('forbidden', 'an account is linked by a person and not by an agent');
  return { tenant, id: user, via };
}
