import { errorCatalogue, type ErrorCode } from '#libs/contracts';
import type { ApprovalView } from '../desk/approval-view.ts';
import { actions, button, context, header, plain, section, type SlackBlock, type SlackContent, slackLimits, type SlackView } from './blocks.ts';
import type { Handle } from './handles.ts';
import { formFields } from './read-interaction.ts';
import { left, shortDigest, slackText, utc } from './text.ts';

/** Of a reason, in characters; the same as in the API. */
export const MOST_REASON = 2_000;
/** Arguments that a form can hold, as indented JSON. */
export const MOST_ARGUMENTS = slackLimits.input;

const TITLES: Readonly<Record<Handle['asks'], string>> = { approve: 'Approve', deny: 'Deny', edit: 'Change and approve' };

export interface Form {
  readonly asks: Handle['asks'];
  readonly view: ApprovalView;
  readonly handle: string;
  readonly reason: 'required' | 'optional';
  /** Indented JSON, for `edit`. */
  readonly args?: string;
}

/** Asks for what a decision needs beside the press of a button. */
export function renderForm({ asks, view, handle, reason, args }: Form): SlackView {
  const blocks: SlackBlock[] = [
    section(slackText(`${view.tool} on ${view.server}, asked by ${view.caller.user}`, slackLimits.section)),
    context(`Arguments ${view.argsAbsent ? 'none' : shortDigest(view.argsDigest)}`),
  ];
  if (args !== undefined) {
    blocks.push({
      type: 'input',
      block_id: formFields.args,
      label: plain('Arguments, as JSON'),
      element: { type: 'plain_text_input', action_id: formFields.args, multiline: true, initial_value: args, max_length: MOST_ARGUMENTS },
    });
  }
  blocks.push({
    type: 'input',
    block_id: formFields.reason,
    optional: reason === 'optional',
    label: plain('Reason'),
    element: { type: 'plain_text_input', action_id: formFields.reason, multiline: true, max_length: MOST_REASON, ...(reason === 'required' ? { min_length: 1 } : {}) },
  });
  return { type: 'modal', callback_id: asks, title: plain(TITLES[asks]), submit: plain(asks === 'deny' ? 'Deny' : 'Approve'), close: plain('Back'), private_metadata: handle, blocks };
}

/** Takes the place of a form whose decision did not count. */
export function renderRefusedForm(asks: Handle['asks'], code: ErrorCode): SlackView {
  return { type: 'modal', callback_id: 'refused', title: plain(TITLES[asks]), close: plain('Close'), blocks: [section(refusalText(code))] };
}

/** What a person is told whose word did not count: the same sentence and code as everywhere. */
export function renderRefusal(code: ErrorCode, link?: string): SlackContent {
  const text = refusalText(code);
  return { text, blocks: [section(text), ...(link === undefined ? [] : [actions([{ action: 'open', label: 'Open in Holdfast', url: link }])])] };
}

export function renderTooLate(): SlackContent {
  const text = 'That took too long for Slack. Nothing was changed; press the button again.';
  return { text, blocks: [section(text)] };
}

export function renderCounted(text: string): SlackContent {
  const shown = slackText(text, slackLimits.section);
  return { text: shown, blocks: [section(shown)] };
}

export function renderUnlinked(link: string): SlackContent {
  const text = 'Nothing was changed: this Slack account is not linked to a person in Holdfast yet.';
  const how = 'Open the page, sign in as yourself and confirm that the account is yours. The link is for you alone, works once, and is good for 10 minutes.';
  return { text, blocks: [section(text), section(how), actions([{ action: 'open', label: 'Link my account', style: 'primary', url: link }])] };
}

export function renderWaiting(items: readonly ApprovalView[], more: boolean, linkOf: (approval: string) => string, now: number): SlackContent {
  if (items.length === 0) return { text: 'Nothing waits for you.', blocks: [section('Nothing waits for you.')] };
  const entries = items.map((view): SlackBlock => {
    const text = `${view.tool} on ${view.server}, asked by ${view.caller.user} · ${view.progress} · until ${utc(view.expiresAt)}, ${left(Date.parse(view.expiresAt), now)} left`;
    return { ...section(slackText(text, 600)), accessory: button({ action: 'open', label: 'Open', url: linkOf(view.id) }) };
  });
  return { text: 'Approvals that wait for you', blocks: [header('Approvals that wait for you'), ...entries, ...(more ? [context('There are more; see the console.')] : [])] };
}

export function renderHelp(): SlackContent {
  const lines = ['/holdfast approvals – what waits for you', '/holdfast link – link this Slack account to you', '/holdfast help – this text'];
  return { text: 'What /holdfast can do', blocks: [header('What /holdfast can do'), section(lines.join('\n'))] };
}

function refusalText(code: ErrorCode): string {
  return `Nothing was changed: ${errorCatalogue[code].sentence} [${code}]`;
}
