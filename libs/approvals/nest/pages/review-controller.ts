import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { ReviewLinks } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { given, parse, Public, type Session } from '#libs/platform';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';
import { ApprovalPages, type Place, wordsAfter } from './approval-pages.ts';
import { PageFilter } from './page-filter.ts';
import { type PageReply, redirect, sendPage } from './page-reply.ts';
import { ApprovalQuery, DecisionForm, ShowForm } from './page-requests.ts';
import { type PageRequest, PageSessions, whoOf } from './page-session.ts';
import { messagePage, reviewSignInPage } from './sign-in-page.ts';

interface Found {
  readonly approval: string;
  readonly place: Place;
  readonly used: boolean;
}

/** What a link may be asked for over and over; scanners of mail do. */
const OVER = 'Nothing can be decided by this link any more: what it asked about is over, or was asked anew.';
const USED = 'This link was used to decide. You can still read what became of the request.';

/**
 * Links in mails. Whoever opens one, follows what is on the page or presses its buttons without being signed in as the very person it
 * was sent to is asked to sign in, and nothing else happens.
 */
@Controller('review')
@Public('the link names a request and no person: each answer asks for the session of its recipient')
@UseFilters(PageFilter)
export class ReviewController {
  private readonly links: ReviewLinks;

  constructor(
    @Inject(ApprovalsDependencies) deps: ApprovalsDependencies,
    @Inject(PageSessions) private readonly pages: PageSessions,
    @Inject(ApprovalPages) private readonly approvals: ApprovalPages,
  ) {
    this.links = deps.reviewLinks;
  }

  @Get(':token')
  async show(@Req() request: PageRequest, @Param('token') token: string, @Query() query: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.reader(request);
    // Nobody learns here whether there is such a link.
    if (!session) return sendPage(reply, 200, reviewSignInPage(pathOf(token)));
    const { said } = parse(ApprovalQuery, query);
    const found = await this.found(session, token, reply);
    if (found) sendPage(reply, 200, await this.approvals.show(session, found.approval, found.place, given({ said: wordsAfter(said) })));
  }

  @Post(':token/arguments')
  async showEverything(@Req() request: PageRequest, @Param('token') token: string, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.sender(request, parse(ShowForm, body).form);
    const found = await this.found(session, token, reply);
    if (found) sendPage(reply, 200, await this.approvals.show(session, found.approval, found.place, { everything: true }));
  }

  @Post(':token')
  async act(@Req() request: PageRequest, @Param('token') token: string, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const form = parse(DecisionForm, body);
    const session = await this.pages.sender(request, form.form);
    const found = await this.found(session, token, reply);
    if (!found) return;
    const { approval, place, used } = found;
    if (used) return redirect(reply, `${place.path}?said=before`);
    try {
      if (form.action === 'cancel' || form.action === 'break-glass') throw new Refusal('forbidden', 'This is done in the console, not by a link.');
      if (place.readOnly !== undefined) throw new Refusal('decision_stale', place.readOnly);
      await this.approvals.act(session, approval, place, form);
    } catch (error) {
      const { status, page } = await this.approvals.refused(session, approval, place, form, error);
      return sendPage(reply, status, page);
    }
    await this.links.use(token);
    redirect(reply, `${place.path}?said=${form.action}`);
  }

  /** Null when the answer was given: this link is nobody's, or somebody else's. */
  private async found(session: Session, token: string, reply: PageReply): Promise<Found | null> {
    const { principal } = session;
    const link = await this.links.find(token);
    if (link?.tenant !== principal.tenant) throw new Refusal('review_link_unknown');
    if (link.recipient !== principal.user) {
      const refusal = new Refusal('review_link_not_yours');
      sendPage(reply, refusal.entry.http, messagePage('This link is not for you', refusal.message, whoOf(session)));
      return null;
    }
    const readOnly = link.used ? USED : link.open ? undefined : OVER;
    return { approval: link.approval, used: link.used, place: { path: pathOf(token), link: true, ...(readOnly === undefined ? {} : { readOnly }) } };
  }
}

/** What cannot be a link is not repeated. */
function pathOf(token: string): string {
  return /^[A-Za-z0-9_-]{43}$/.test(token) ? `/review/${token}` : '/console';
}
