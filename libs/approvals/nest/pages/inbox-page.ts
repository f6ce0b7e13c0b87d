import type { ApprovalView } from '#libs/approvals/core';
import { html, type Markup } from './html.ts';
import type { Page } from './layout.ts';
import { CLASS, moment } from './words.ts';

export interface InboxFacts {
  readonly who: NonNullable<Page['who']>;
  readonly mine: readonly ApprovalView[];
  readonly others: readonly ApprovalView[];
  /** Where the own list goes on. */
  readonly next: string | null;
  readonly now: number;
}

/** Reads the list again when something changes, and keeps the focus where it is unless the list changed. */
const LIVE = `
const place = document.getElementById('lists'), told = document.getElementById('told');
let waiting;
const read = async () => {
  waiting = undefined;
  const answer = await fetch(location.href, { credentials: 'same-origin' });
  if (!answer.ok || answer.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('lists');
  if (!fresh || fresh.dataset.state === place.dataset.state) return;
  place.replaceChildren(...fresh.childNodes);
  place.dataset.state = fresh.dataset.state;
  told.textContent = 'The list has changed.';
};
const stream = new EventSource('/api/v1/stream');
for (const name of ['approval', 'reset']) stream.addEventListener(name, () => { waiting ??= setTimeout(read, 250); });
addEventListener('pagehide', () => stream.close());
`;

export function inboxPage({ who, mine, others, next, now }: InboxFacts): Page {
  return {
    title: `Waiting for you (${mine.length}${next === null ? '' : ' or more'})`,
    who,
    script: LIVE,
    body: html`<h1>Waiting for you</h1>
<p id="told" role="status" class="quiet"></p>
<div id="lists" data-state="${[...mine, ...others].map(({ id, version }) => `${id}.${version}`).join(' ')}">
${mine.length === 0 ? html`<p>No call waits for your decision.</p>` : list(mine, now)}
${next !== null && html`<p><a href="/console?after=${next}">Further ones</a></p>`}
${others.length > 0 && html`<h2>Waiting for others</h2>${list(others, now)}`}
</div>`,
  };
}

function list(items: readonly ApprovalView[], now: number): Markup {
  return html`<ul class="plain">${items.map(
    (item) => html`<li><p><a href="/console/approvals/${item.id}">${item.caller.agent ?? item.caller.client} wants ${item.tool} on ${item.server}</a></p>
<p>${CLASS[item.impactClass] ?? item.impactClass}; for ${item.caller.user}; ${item.progress}</p>
<p class="quiet">Expires ${moment(item.expiresAt, now)}</p></li>`,
  )}</ul>`;
}
