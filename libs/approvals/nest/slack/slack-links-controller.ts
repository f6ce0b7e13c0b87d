import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { AccountToLink, SignedIn } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { CurrentPrincipal, Public, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { parse } from '../requests.ts';
import { linkPage } from './link-page.ts';
import { SlackEdge } from './slack-edge.ts';

const LinkBody = z.strictObject({ nonce: z.string().min(1).max(200) });
const NONCE = /^[0-9a-f]{64}$/;

/** Links of Slack accounts, for the person who signed in; the console's page uses the same service. */
@Controller('api/v1/slack/links')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server')
export class SlackLinksController {
  constructor(@Inject(SlackEdge) private readonly edge: SlackEdge) {}

  /** Whose account it is; so that nobody confirms what they do not know. */
  @Get(':nonce')
  @Header('cache-control', 'no-store')
  look(@CurrentPrincipal() principal: Principal, @Param('nonce') nonce: string): Promise<AccountToLink> {
    return this.edge.linking.look(signedIn(principal), nonce);
  }

  @Post()
  @HttpCode(200)
  async link(@CurrentPrincipal() principal: Principal, @Body() body: unknown): Promise<AccountToLink & { readonly person: string }> {
    const person = signedIn(principal);
    return { ...(await this.edge.linking.accept(person, parse(LinkBody, body).nonce)), person: person.id };
  }

  /** Ends the own link. */
  @Delete()
  @HttpCode(200)
  async unlink(@CurrentPrincipal() principal: Principal): Promise<{ readonly ended: boolean }> {
    return { ended: await this.edge.linking.end(signedIn(principal)) };
  }
}

/** What the link in Slack opens. It knows nobody and changes nothing: the account is linked by a person who signed in. */
@Controller('slack/link')
export class SlackLinkPageController {
  constructor(@Inject(SlackEdge) private readonly edge: SlackEdge) {}

  @Get(':nonce')
  @Public('a page without data that never acts; linking needs a signed-in person')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  show(@Param('nonce') nonce: string): string {
    if (!NONCE.test(nonce)) throw new Refusal('not_found');
    return linkPage(this.edge.publicUrl(), nonce);
  }
}

/** A person, by a credential of their own: one that was given to an agent speaks for the agent. */
function signedIn({ tenant, user, agent }: Principal): SignedIn {
  if (agent !== undefined) throw new Refusal('forbidden', 'an account is linked by a person and not by an agent');
  return { tenant, id: user, via: 'api' };
}
