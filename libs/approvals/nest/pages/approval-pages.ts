import { Inject, Injectable } from '@nestjs/common';
import { compare, type Opened, type PeopleDesk, type Person } from '#libs/approvals/core';
import { NotCanonical, parseStrictJson, Refusal } from '#libs/contracts';
import type { Session } from '#libs/platform';
import type { Clock } from '#libs/ports';
import { ApprovalsDependencies } from '../approvals-dependencies.ts';
import { deciderOf, personOf } from '../requests.ts';
import { type ApprovalFacts, approvalPage } from './approval-page.ts';
import type { Page } from './layout.ts';
import { wordsOf } from './page-filter.ts';
import type { DecisionForm } from './page-requests.ts';
import { whoOf } from './page-session.ts';

/** Where a page of an approval stands: in the console, or behind the link of a mail. */
export interface Place {
  readonly path: string;
  readonly link: boolean;
  readonly readOnly?: string;
}

const SAID: Readonly<Record<DecisionForm['action'] | 'before', string>> = {
  approve: 'You approved it.',
  deny: 'You denied it.',
  edit: 'You approved it with other arguments.',
  'break-glass': 'You broke the glass: the call is approved, and it will be reviewed.',
  cancel: 'The call was cancelled.',
  before: 'This link was used to decide before; nothing more was done.',
};

/** What a page says after a form was done, by the word in its address; other words say nothing. */
export function wordsAfter(said: string | undefined): string | undefined {
  return said !== undefined && Object.hasOwn(SAID, said) ? SAID[said as keyof typeof SAID] : undefined;
}

/** Shows one approval, and does what its forms say. */
@Injectable()
export class ApprovalPages {
  private readonly people: PeopleDesk;
  private readonly clock: Clock;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.people = deps.people;
    this.clock = deps.clock;
  }

  async show(session: Session, id: string, place: Place, more: Pick<ApprovalFacts, 'refused' | 'said' | 'filled'> & { readonly everything?: boolean } = {}): Promise<Page> {
    const person = personOf(session.principal, viaOf(place));
    const { everything = false, ...words } = more;
    const opened = await unlessForbidden(everything ? this.people.open(person, id) : this.people.look(person, id));
    const precedent = opened?.args ? await this.people.precedent(person, id, everything) : null;
    const { view, rights } = await this.people.show(person, id);
    return approvalPage({
      ...place,
      ...words,
      who: whoOf(session),
      view,
      rights,
      opened,
      precedent: precedent && { ...precedent, ...compare(precedent.args, opened!.args) },
      now: this.clock.now(),
    });
  }

  /** Throws a Refusal when nothing changed. */
  async act({ principal }: Session, id: string, place: Place, { action, version, reason, args }: DecisionForm): Promise<void> {
    const person: Person = deciderOf(principal, viaOf(place));
    const because = reason === '' ? {} : { reason };
    switch (action) {
      case 'approve':
      case 'deny':
        await this.people.decide(person, id, { verdict: action, version, ...because });
        return;
      case 'edit':
        await this.people.decide(person, id, { verdict: 'approve', version, ...because, editedArgs: argumentsOf(args) });
        return;
      case 'break-glass':
        if (reason === '') throw new Refusal('reason_required');
        await this.people.breakGlass(person, id, reason, version);
        return;
      case 'cancel':
        await this.people.cancel(person, id, because.reason);
    }
  }

  /** The page after a form was refused, with what was filled in; only what is refused in words is shown there. */
  async refused(session: Session, id: string, place: Place, form: DecisionForm, error: unknown): Promise<{ readonly status: number; readonly page: Page }> {
    if (!(error instanceof Refusal) || error.code === 'approval_not_found') throw error;
    const filled = { reason: form.reason, ...(form.args === undefined ? {} : { args: form.args }) };
    // Who edits has seen everything.
    return { status: error.entry.http, page: await this.show(session, id, place, { refused: wordsOf(error), filled, everything: form.action === 'edit' }) };
  }
}

function viaOf({ link }: Place): Person['via'] {
  return link ? 'email' : 'console';
}

function argumentsOf(text: string | undefined): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseStrictJson(text ?? '');
  } catch (error) {
    if (error instanceof NotCanonical) throw new Refusal('arguments_invalid', error.reason === 'not_json' ? 'The arguments are not JSON.' : 'The arguments hold JSON that cannot be recorded exactly.');
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal('arguments_invalid', 'The arguments must be a JSON object.');
  return value as Readonly<Record<string, unknown>>;
}

async function unlessForbidden(opening: Promise<Opened>): Promise<Opened | null> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'forbidden') return null;
    throw error;
  }
}
