import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { PeopleDesk } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { given, parse, Public } from '#libs/platform';
import { type Clock, DeniedAccess } from '#libs/ports';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';
import { personOf } from '../requests.ts';
import { ApprovalPages, type Place, wordsAfter } from './approval-pages.ts';
import { inboxPage } from './inbox-page.ts';
import { PageFilter, wordsOf } from './page-filter.ts';
import { type PageReply, redirect, sendPage } from './page-reply.ts';
import { ApprovalQuery, DecisionForm, InboxQuery, ShowForm, SignInForm, SignInQuery, SignOutForm } from './page-requests.ts';
import { type PageRequest, PageSessions, whoOf } from './page-session.ts';
import { signInPage } from './sign-in-page.ts';

const SHOWN = 50;

/** Pages for people: sign in, see what waits, decide. They work without a script. */
@Controller('console')
@Public('each page asks for the session itself, and leads to the sign-in page instead of refusing')
@UseFilters(PageFilter)
export class ConsoleController {
  private readonly people: PeopleDesk;
  private readonly clock: Clock;

  constructor(
    @Inject(ApprovalsDependencies) deps: ApprovalsDependencies,
    @Inject(PageSessions) private readonly pages: PageSessions,
    @Inject(ApprovalPages) private readonly approvals: ApprovalPages,
    @Inject(DeniedAccess) private readonly denied: DeniedAccess,
  ) {
    this.people = deps.people;
    this.clock = deps.clock;
  }

  @Get('sign-in')
  signInForm(@Query() query: unknown, @Res() reply: PageReply): void {
    sendPage(reply, 200, signInPage({ next: parse(SignInQuery, query).next }));
  }

  @Post('sign-in')
  signIn(@Req() request: PageRequest, @Body() body: unknown, @Res() reply: PageReply): void {
    const { token, next } = parse(SignInForm, body);
    try {
      this.pages.assertSameOrigin(request);
      const { cookie } = this.pages.sessions.signIn(token.trim(), isHttps(request));
      redirect(reply, next, cookie);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code !== 'origin_denied') this.denied.note(error, request.ip, 'console');
      sendPage(reply, error.entry.http, signInPage({ next, refused: wordsOf(error) }));
    }
  }

  @Post('sign-out')
  async signOut(@Req() request: PageRequest, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.sender(request, parse(SignOutForm, body).form);
    redirect(reply, '/console/sign-in', await this.pages.sessions.signOut(session));
  }

  @Get()
  async inbox(@Req() request: PageRequest, @Query() query: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.reader(request);
    if (!session) return redirect(reply, '/console/sign-in');
    const { after } = parse(InboxQuery, query);
    const person = personOf(session.principal, 'console');
    const mine = await this.people.list(person, given({ mine: true, limit: SHOWN, after }));
    const own = new Set(mine.items.map(({ id }) => id));
    const others = after === undefined ? await this.people.list(person, { statuses: ['held'], limit: SHOWN }) : { items: [] };
    sendPage(reply, 200, inboxPage({ who: whoOf(session), mine: mine.items, others: others.items.filter(({ id }) => !own.has(id)), next: mine.next, now: this.clock.now() }));
  }

  @Get('approvals/:id')
  async show(@Req() request: PageRequest, @Param('id') id: string, @Query() query: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.reader(request);
    if (!session) return redirect(reply, `/console/sign-in?next=${encodeURIComponent(`/console/approvals/${id}`)}`);
    const { said } = parse(ApprovalQuery, query);
    sendPage(reply, 200, await this.approvals.show(session, id, placeOf(id), given({ said: wordsAfter(said) })));
  }

  @Post('approvals/:id/arguments')
  async showEverything(@Req() request: PageRequest, @Param('id') id: string, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const session = await this.pages.sender(request, parse(ShowForm, body).form);
    sendPage(reply, 200, await this.approvals.show(session, id, placeOf(id), { everything: true }));
  }

  @Post('approvals/:id')
  async act(@Req() request: PageRequest, @Param('id') id: string, @Body() body: unknown, @Res() reply: PageReply): Promise<void> {
    const form = parse(DecisionForm, body);
    const session = await this.pages.sender(request, form.form);
    const place = placeOf(id);
    try {
      await this.approvals.act(session, id, place, form);
    } catch (error) {
      const { status, page } = await this.approvals.refused(session, id, place, form, error);
      return sendPage(reply, status, page);
    }
    redirect(reply, `${place.path}?said=${form.action}`);
  }
}

function placeOf(id: string): Place {
  return { path: `/console/approvals/${id}`, link: false };
}

/** Browsers say it with every form; whether a proxy in front speaks TLS is not known otherwise. */
function isHttps({ headers }: PageRequest): boolean {
  return typeof headers['origin'] === 'string' && headers['origin'].startsWith('https:');
}
