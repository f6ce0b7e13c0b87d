import type { ApprovalView, Difference, Opened, Precedent, Rights } from '#libs/approvals/core';
import { decisionForms } from './decision-forms.ts';
import { html, type Markup } from './html.ts';
import type { Page } from './layout.ts';
import { CLASS, moment, STATUS } from './words.ts';

export interface ApprovalFacts {
  readonly who: NonNullable<Page['who']>;
  readonly view: ApprovalView;
  readonly rights: Rights;
  /** Null for whoever may not see what is sealed. */
  readonly opened: Opened | null;
  readonly precedent: (Precedent & { readonly differences: readonly Difference[]; readonly more: boolean }) | null;
  readonly now: number;
  /** Where its forms go. */
  readonly path: string;
  /** Through a link of a mail: only what was asked there. */
  readonly link: boolean;
  /** Why nothing can be decided here, whatever the rights. */
  readonly readOnly?: string;
  readonly refused?: string;
  readonly said?: string;
  /** What was filled in before it was refused. */
  readonly filled?: { readonly args?: string; readonly reason?: string };
}

/** Longer values are cut on the page, which then says so; the API gives all of it. */
const LONGEST_SHOWN = 200_000;

/** Tells that the request has changed, and leaves it to the person when to look: what was typed is not lost. */
const script = ({ id, version }: ApprovalView): string => `
const stream = new EventSource('/api/v1/stream');
stream.addEventListener('approval', (event) => {
  const now = JSON.parse(event.data);
  if (now.id === ${JSON.stringify(id)} && now.version > ${version}) document.getElementById('changed').hidden = false;
});
addEventListener('pagehide', () => stream.close());
`;

export function approvalPage(facts: ApprovalFacts): Page {
  const { who, view, opened, now, path, refused, said } = facts;
  const agent = view.caller.agent ?? view.caller.client;
  // Nobody may have noted yet that its time is over.
  const waits = view.status === 'held' && now < Date.parse(view.expiresAt);
  return {
    title: `${agent}: ${view.tool} on ${view.server}`,
    who,
    script: script(view),
    body: html`<h1>${agent} wants ${view.tool} on ${view.server}</h1>
${refused !== undefined && html`<p class="refused" role="alert">Not done: ${refused}</p>`}
${said !== undefined && html`<p class="notice" role="status">${said}</p>`}
<div role="status"><p id="changed" class="notice" hidden>This request has changed since this page was made. <a href="${path}">Look again</a></p></div>
<p><strong>${STATUS[view.status === 'held' && !waits ? 'expired' : view.status]}.</strong> ${waits && html`${view.progress}. Expires ${moment(view.expiresAt, now)}; silence denies.`}</p>
<h2>The call</h2>
<dl>
<dt>Agent</dt><dd>${view.caller.agent ?? 'none'}</dd>
<dt>For</dt><dd>${view.caller.user}, by ${view.caller.client}</dd>
<dt>Tool</dt><dd>${view.tool}${view.method === 'tools/call' ? '' : ` (${view.method})`}</dd>
<dt>Server</dt><dd>${view.server}</dd>
<dt>Impact</dt><dd>${CLASS[view.impactClass] ?? view.impactClass}</dd>
<dt>Why people are asked</dt><dd>${view.why} (rule ${view.rule})</dd>
<dt>Reason given by the agent</dt><dd>${opened ? (opened.reason ?? 'none') : 'not shown to you'}</dd>
<dt>Asked</dt><dd>${moment(view.createdAt, now)}</dd>
${opened?.run && html`<dt>Run</dt><dd>${opened.run}</dd>`}
</dl>
${argumentsOf(facts)}
${comparisonOf(facts)}
<h2>Who decides</h2>
<ol class="plain">${view.steps.map(
      (step) => html`<li><p><strong>${step.name}</strong>: ${STEP[step.state]}. Needs ${step.need} of ${step.people.length}; ${step.deny === 1 ? 'one denial ends it' : `${step.deny} denials end it`}${step.escalated && '; escalated'}</p>
<p class="quiet">${step.people.join(', ') || 'nobody now'}</p></li>`,
    )}</ol>
<h2>Decided so far</h2>
${
  view.votes.length === 0 && view.brokenBy === null
    ? html`<p>Nobody has decided yet.</p>`
    : html`<ul class="plain">${view.votes.map(
        (vote) => html`<li><p><strong>${vote.person}</strong> ${vote.verdict === 'approve' ? 'approved' : 'denied'} in step ${vote.step}${vote.for !== undefined && ` for ${vote.for}`}${!vote.counts && ' (no longer counts: the arguments were changed afterwards)'}</p><p class="quiet">${moment(vote.at, now)}</p></li>`,
      )}${view.brokenBy !== null && html`<li><p><strong>${view.brokenBy}</strong> broke the glass: approved alone, to be reviewed</p></li>`}</ul>`
}
${decisionForms(facts)}`,
  };
}

const STEP = { waiting: 'comes later', open: 'is asked now', met: 'has approved', ended: 'ended' } as const;

function argumentsOf({ view, opened, path, who }: ApprovalFacts): Markup {
  if (!opened) return html`<h2>Arguments</h2><p>Only who decides, who asked, or an auditor sees them.</p>`;
  if (opened.args === null) return html`<h2>Arguments</h2><p>${view.argsAbsent ? 'The call has none.' : 'They were erased.'}</p>`;
  const text = pretty(opened.args);
  const edited = view.edits.at(-1);
  return html`<h2>Arguments</h2>
${edited && html`<p class="notice">${edited.person} put other arguments in place of the agent's. These are the changed ones.</p>`}
${opened.hidden > 0 && html`<p>Policy hides ${opened.hidden} ${opened.hidden === 1 ? 'value' : 'values'} here.</p><form method="post" action="${path}/arguments"><input type="hidden" name="form" value="${who.form}"><button class="plain">Show everything (this is recorded)</button></form>`}
<pre id="arguments">${text.slice(0, LONGEST_SHOWN)}</pre>
${text.length > LONGEST_SHOWN && html`<p class="notice">This is not all: ${text.length - LONGEST_SHOWN} more characters. <a href="/api/v1/approvals/${view.id}?unredacted">All of it as JSON (this is recorded)</a></p>`}
<p class="quiet">Fingerprint of the exact arguments: <code>${view.argsDigest.slice(0, 12)}</code></p>
${opened.originalArgs !== null && html`<details><summary>What the agent asked for</summary><pre>${pretty(opened.originalArgs).slice(0, LONGEST_SHOWN)}</pre></details>`}`;
}

function comparisonOf({ precedent, now }: ApprovalFacts): Markup | null {
  if (!precedent) return null;
  const { differences, more } = precedent;
  return html`<h2>Compared with the last one</h2>
<p>The last call of this tool by this agent that people approved and that was executed: <a href="/console/approvals/${precedent.id}">${moment(precedent.at, now)}</a>.</p>
${
  differences.length === 0
    ? html`<p>The arguments are the same.</p>`
    : html`<ul class="plain">${differences.map(
        ({ path, kind, before, after }) => html`<li><p><strong>${kind}</strong> <code>${path === '' ? 'everything' : path}</code></p>${kind !== 'added' && html`<p>then: <code>${short(before)}</code></p>`}${kind !== 'removed' && html`<p>now: <code>${short(after)}</code></p>`}</li>`,
      )}</ul>${more && html`<p>There are more differences than are shown here.</p>`}`
}`;
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 500 ? `${text.slice(0, 500)}… (${text.length} characters)` : text;
}
