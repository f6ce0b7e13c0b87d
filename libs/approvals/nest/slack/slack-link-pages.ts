import { Body, Controller, Get, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { AccountToLink, SlackLinking } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { parse, Public, type Session } from '#libs/platform';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';
import { html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { PageFilter } from '../pages/page-filter.ts';
import { type PageReply, sendPage } from '../pages/page-reply.ts';
import { ShowForm } from '../pages/page-requests.ts';
import { type PageRequest, PageSessions, whoOf } from '../pages/page-session.ts';
import { signInPage } from '../pages/sign-in-page.ts';
import { signedIn } from './slack-links-controller.ts';

const NONCE = /^[0-9a-f]{64}$/;

/** What the link in Slack opens. Opening it changes nothing; the account is linked by the form of a person who signed in here. */
@Controller('slack/link')
@Public('the link names an account and no person: each answer asks for the session of whoever opens it')
@UseFilters(PageFilter)
export class SlackLinkPages {
  private readonly linking: SlackLinking;

  constructor(
    @Inject(ApprovalsDependencies) deps: ApprovalsDependencies,
    @Inject(PageSessions) private readonly pages: PageSessions,
  ) {
    this.linking = deps.slack.linking;
  }

  @Get(':nonce')
  async show(@Req() request: PageRequest, @Param('nonce') nonce: string, @Res() reply: PageReply): Promise<void> {
    if (!NONCE.test(nonce)) throw new Refusal('link_over');
    const session = await this.pages.reader(request);
    // Nobody learns here whether there is such a link.
    if (!session) return sendPage(reply, 200, notSignedIn(`/slack/link/${nonce}`));
    sendPage(reply, 200, confirmPage(session, nonce, await this.linking.look(signedIn(session.principal, 'console'), nonce)));
  }

  @Post(':nonce')
  async link(@Req() request: PageRequest, @Param('nonce') nonce: string, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.sender(request, parse(ShowForm, body).form);
    sendPage(reply, 200, donePage(session, await this.linking.accept(signedIn(session.principal, 'console'), nonce)));
  }
}

function notSignedIn(path: string): Page {
  return signInPage({ next: path, why: html`<p>Somebody asked in Slack to link an account to a person. If that was you, sign in as yourself; nothing is linked by opening this page.</p>
<p><a href="${path}">I am signed in already</a></p>` });
}

function confirmPage(session: Session, nonce: string, { name, account, team, email }: AccountToLink): Page {
  const who = whoOf(session);
  return {
    title: 'Link a Slack account',
    who,
    body: html`<h1>Is this Slack account yours?</h1>
<dl><dt>Name</dt><dd>${name}</dd><dt>E-mail address in Slack</dt><dd>${email ?? 'not known'}</dd><dt>Account</dt><dd>${account} in ${team}</dd></dl>
<p>Whoever controls it decides as ${who.user} from then on. Go on only if it is yours and you asked for this a moment ago; if somebody sent you this link, close the page.</p>
<form method="post" action="/slack/link/${nonce}"><input type="hidden" name="form" value="${who.form}"><button>It is mine: link it to ${who.user}</button></form>`,
  };
}

function donePage(session: Session, { name }: AccountToLink): Page {
  const who = whoOf(session);
  return { title: 'Linked', who, body: html`<h1>Linked</h1><p role="status">${name} in Slack is ${who.user} now. You can close this page.</p>` };
}
