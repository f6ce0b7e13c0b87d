import { NotCanonical, parseStrictJson, Refusal } from '#libs/contracts';
import type { Clock } from '#libs/ports';
import type { PeopleDesk, Person } from '../desk/people-desk.ts';
import { personOf } from './accounts.ts';
import type { SlackContent, SlackView } from './blocks.ts';
import type { Handle, Handles } from './handles.ts';
import { type Command, formFields, type Press, type Submission } from './read-interaction.ts';
import { MOST_ARGUMENTS, MOST_REASON, renderCounted, renderForm, renderHelp, renderRefusal, renderRefusedForm, renderTooLate, renderUnlinked, renderWaiting } from './render-forms.ts';
import type { SlackLinking } from './slack-linking.ts';
import type { SlackLinks } from './slack-links.ts';
import { isAboveCeiling, type SlackWorkspace, type SlackWorkspaces } from './workspace.ts';

/** What is left to do of a press when Slack has its answer; plain JSON with nobody's texts in it. */
export type SlackWork = Pick<Press, 'user' | 'trigger' | 'channel' | 'handle'> & { readonly tenant: string };

/** What Slack is told about a submitted form; an empty one closes it. */
export type FormAnswer = Readonly<Record<string, unknown>>;

export interface SlackDeskDependencies {
  readonly people: Pick<PeopleDesk, 'decide' | 'show' | 'open' | 'list'>;
  readonly workspaces: SlackWorkspaces;
  readonly links: SlackLinks;
  readonly linking: SlackLinking;
  readonly handles: Handles;
  readonly clock: Clock;
  /** Where an approval is decided outside of Slack. */
  readonly pageOf: (tenant: string, approval: string) => string;
  /** The page that links an account, by the secret part of its address. */
  readonly linkPage: (tenant: string, nonce: string) => string;
}

type Shown = Awaited<ReturnType<PeopleDesk['show']>>;

const LISTED = 10;

/**
 * What people do in Slack, done by the same desk as everywhere. A press is believed about who pressed and which of our handles it was;
 * which approval that is, in which version, and whether this person may decide, is read from our own state.
 */
export class SlackDesk {
  constructor(private readonly deps: SlackDeskDependencies) {}

  /** Twice the same does the same as once. Rejects when something is away; then it may be done again. */
  async press(work: SlackWork): Promise<void> {
    const workspace = this.deps.workspaces.ofTenant(work.tenant);
    if (!workspace || work.handle === null) return;
    const whisper = (content: SlackContent): Promise<void> => workspace.api.whisper(work.channel, work.user, content);
    const handle = this.open(work.handle, workspace, null);
    if (!handle) return whisper(renderRefusal('approval_not_found'));
    const person = await personOf(workspace, work.user, this.deps.links);
    if (!person) return whisper(await this.unlinked(workspace, work.user));
    const page = this.deps.pageOf(workspace.tenant, handle.approval);
    try {
      const shown = await this.decidable(workspace, person, handle);
      if (handle.asks === 'approve' && shown.view.approverReason === 'optional') {
        await this.deps.people.decide(person, handle.approval, { verdict: 'approve', version: handle.version });
        return;
      }
      const form = await this.form(workspace, person, handle, shown, work.user);
      if (!(await workspace.api.openView(work.trigger, form))) await whisper(renderTooLate());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await whisper(renderRefusal(error.code, page));
    }
  }

  async submit(workspace: SlackWorkspace, { user, handle: sealed, reason, args }: Omit<Submission, 'kind' | 'team' | 'app'>): Promise<FormAnswer> {
    const handle = this.open(sealed, workspace, user);
    if (!handle) return refused('approve', new Refusal('approval_not_found'));
    const person = await personOf(workspace, user, this.deps.links);
    if (!person) return refused(handle.asks, new Refusal('account_unlinked'));
    const given = reason.replaceAll('\u0000', '').trim().slice(0, MOST_REASON);
    try {
      const { view } = await this.decidable(workspace, person, handle);
      if (given === '' && reasonFor(handle.asks, view) === 'required') return wrong(formFields.reason, 'A reason is required.');
      const verdict = { verdict: handle.asks === 'deny' ? ('deny' as const) : ('approve' as const), version: handle.version, ...(given === '' ? {} : { reason: given }) };
      if (handle.asks !== 'edit') {
        await this.deps.people.decide(person, handle.approval, verdict);
        return {};
      }
      if (workspace.settings.showArguments !== 'full') throw new Refusal('only_in_console');
      const editedArgs = readArguments(args);
      if (!editedArgs) return wrong(formFields.args, 'These are no arguments: write one JSON object.');
      await this.deps.people.decide(person, handle.approval, { ...verdict, editedArgs });
      return {};
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === 'reason_required') return wrong(formFields.reason, error.entry.sentence);
      if (error.code === 'arguments_invalid' || error.code === 'edit_changes_nothing') return wrong(formFields.args, error.entry.sentence);
      return refused(handle.asks, error);
    }
  }

  async command(workspace: SlackWorkspace, { user, words }: Pick<Command, 'user' | 'words'>): Promise<SlackContent> {
    const [word] = words;
    if (word !== 'approvals' && word !== 'link') return renderHelp();
    const person = await personOf(workspace, user, this.deps.links);
    if (!person) return this.unlinked(workspace, user);
    if (word === 'link') return renderCounted(`This Slack account is ${person.id} in Holdfast.`);
    const { items, next } = await this.deps.people.list(person, { mine: true, limit: LISTED });
    return renderWaiting(items, next !== null, (approval) => this.deps.pageOf(workspace.tenant, approval), this.deps.clock.now());
  }

  /** Tells the person what became of a form that Slack does not wait for any more. */
  async tellLate(workspace: SlackWorkspace, user: string, answer: FormAnswer): Promise<void> {
    const done = Object.keys(answer).length === 0;
    await workspace.api.whisper(null, user, renderCounted(done ? 'Your decision was counted.' : 'Your decision was not counted, and nothing was changed. Press the button again to see why.'));
  }

  /** The approval, when it may be decided in Slack at all; throws the reason otherwise. Whether this person may is for the desk to say. */
  private async decidable(workspace: SlackWorkspace, person: Person, { approval }: Handle): Promise<Shown> {
    const shown = await this.deps.people.show(person, approval);
    if (isAboveCeiling(shown.view.impactClass, workspace.settings.riskCeiling)) throw new Refusal('only_in_console');
    return shown;
  }

  private async form(workspace: SlackWorkspace, person: Person, handle: Handle, { view, rights }: Shown, user: string): Promise<SlackView> {
    const { asks } = handle;
    // Nobody writes a reason for nothing.
    if (rights.whyNot !== undefined) throw new Refusal(rights.whyNot);
    const sealed = this.deps.handles.seal({ ...handle, form: user });
    const form = { asks, view, handle: sealed, reason: reasonFor(asks, view) };
    if (asks !== 'edit') return renderForm(form);
    if (workspace.settings.showArguments !== 'full') throw new Refusal('only_in_console');
    const { args } = await this.deps.people.open(person, handle.approval);
    const text = JSON.stringify(args ?? {}, null, 2);
    if (text.length > MOST_ARGUMENTS) throw new Refusal('channel_too_small');
    return renderForm({ ...form, args: text });
  }

  /** A handle of this tenant, of a button or of a form for this account. */
  private open(sealed: string, { tenant }: SlackWorkspace, form: string | null): Handle | null {
    const handle = this.deps.handles.open(sealed);
    return handle?.tenant === tenant && handle.form === form ? handle : null;
  }

  private async unlinked(workspace: SlackWorkspace, user: string): Promise<SlackContent> {
    return renderUnlinked(this.deps.linkPage(workspace.tenant, await this.deps.linking.offer(workspace, user)));
  }
}

/** Who denies or changes something says why; who approves does where the flow asks for it. */
function reasonFor(asks: Handle['asks'], { approverReason }: { readonly approverReason: 'required' | 'optional' }): 'required' | 'optional' {
  return asks === 'approve' ? approverReason : 'required';
}

function readArguments(text: string | null): Readonly<Record<string, unknown>> | null {
  if (text === null) return null;
  try {
    const value = parseStrictJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}

function wrong(field: string, sentence: string): FormAnswer {
  return { response_action: 'errors', errors: { [field]: sentence } };
}

function refused(asks: Handle['asks'], { code }: Refusal): FormAnswer {
  return { response_action: 'update', view: renderRefusedForm(asks, code) };
}
