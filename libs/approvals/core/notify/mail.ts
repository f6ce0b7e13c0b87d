import type { ApprovalView } from '../desk/approval-view.ts';
import type { Message, MessageKind } from './message-channel.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const MAX_SUBJECT = 180;
const MAX_LINE = 500;

const OPENING: Readonly<Record<MessageKind, string>> = {
  asked: 'You are asked to decide about a call of an AI agent.',
  reminded: 'This call still waits for your decision.',
  escalated: 'Nobody decided about this call in time, so you are asked as well.',
  delegated: 'Somebody handed the right to decide about this call on to you.',
  broke_glass: 'Somebody approved this call alone, in an emergency. It is to be reviewed.',
};

const SUBJECT: Readonly<Record<MessageKind, string>> = {
  asked: 'Approval needed',
  reminded: 'Reminder: approval needed',
  escalated: 'Escalated: approval needed',
  delegated: 'Delegated to you: approval needed',
  broke_glass: 'Emergency approval',
};

/** What a person reads: the same in plain text and HTML. A mail only tells; nothing is decided by it, by its links or by an answer. */
export function renderMail({ kind, view, step, summary, link }: Message): Mail {
  const who = view.caller.agent ?? view.caller.client;
  const facts: readonly (readonly [string, string])[] = [
    ['Agent', `${who}, for ${view.caller.user}`],
    ['Tool', `${view.tool} on ${view.server} (${view.impactClass})`],
    ['Why people are asked', view.why],
    ['Step', `${view.steps[step]?.name ?? ''}: ${view.progress}`],
    ['Until', view.expiresAt],
    ...(summary.length > 0 ? [['Arguments', summary.join('\n')] as const] : []),
    ['Arguments digest', view.argsDigest.slice(0, 12)],
  ];
  const subject = oneLine(`${SUBJECT[kind]}: ${who} wants ${view.tool} on ${view.server}`).slice(0, MAX_SUBJECT);
  const closing = kind === 'broke_glass' ? 'See what was done:' : 'Look at it and decide, signed in:';
  const footer = 'This mail decides nothing, and answers to it are not read. If you do nothing, the call is not executed.';
  return {
    subject,
    text: [OPENING[kind], '', ...facts.map(([name, value]) => `${name}: ${cut(value)}`), '', closing, link, '', footer, ''].join('\n'),
    html: page(subject, [
      `<p>${escape(OPENING[kind])}</p>`,
      `<table role="presentation" cellpadding="4">${facts.map(([name, value]) => `<tr><th align="left" valign="top">${escape(name)}</th><td>${escape(cut(value)).replaceAll('\n', '<br>')}</td></tr>`).join('')}</table>`,
      `<p>${escape(closing)}<br><a href="${escape(link)}">${escape(link)}</a></p>`,
      `<p><small>${escape(footer)}</small></p>`,
    ]),
  };
}

/** Whoever sorts mail by conversation sees one for each approval. */
export function threadOf({ id }: Pick<ApprovalView, 'id'>): string {
  return `<approval.${id}@holdfast.invalid>`;
}

function page(title: string, body: readonly string[]): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title></head><body>${body.join('')}</body></html>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Control characters could end a header or hide text. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

function cut(value: string): string {
  const clean = value.split('\n').map(oneLine).join('\n');
  return clean.length <= MAX_LINE * 4 ? clean : `${clean.slice(0, MAX_LINE * 4)}…`;
}
