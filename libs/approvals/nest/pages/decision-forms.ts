import type { ApprovalFacts } from './approval-page.ts';
import { html, type Markup, visible } from './html.ts';

const WHY_NOT: Readonly<Record<string, string>> = {
  never_counts: 'You asked for this call or own its agent, so you never decide about it.',
  not_eligible: 'You are not one of the people who decide about this step.',
};

/** What this person may do, each in a form of its own that works without a script. */
export function decisionForms(facts: ApprovalFacts): Markup | null {
  const { view, rights, opened, link, readOnly, filled } = facts;
  if (readOnly !== undefined) return html`<h2>Your decision</h2><p>${readOnly}</p>`;
  const may = [
    rights.decide && approve(facts),
    rights.decide && deny(facts),
    rights.edit && opened?.args && opened.hidden === 0 && edit(facts, filled?.args ?? JSON.stringify(opened.args, null, 2)),
    rights.edit && opened && opened.hidden > 0 && html`<p class="quiet">To approve other arguments, show everything first.</p>`,
    !link && rights.breakGlass && breakGlass(facts),
    !link && rights.cancel && cancel(facts),
  ].filter((form) => form instanceof Object);
  const why = rights.decide || view.status !== 'held' || facts.now >= Date.parse(view.expiresAt) ? null : html`<p>${decided(facts) ? 'You have decided. It still waits for others.' : (WHY_NOT[rights.whyNot ?? ''] ?? 'There is nothing for you to decide now.')}</p>`;
  return may.length > 0 || why ? html`<h2>Your decision</h2>${why}${may}` : null;
}

function decided({ view, who }: ApprovalFacts): boolean {
  return view.votes.some((vote) => vote.person === who.user && vote.counts);
}

function form({ path, who, view }: ApprovalFacts, action: string, legend: string, body: Markup): Markup {
  return html`<form method="post" action="${path}"><fieldset><legend>${legend}</legend>
<input type="hidden" name="form" value="${who.form}"><input type="hidden" name="version" value="${view.version}"><input type="hidden" name="action" value="${action}">
${body}</fieldset></form>`;
}

function reason(action: string, label: string, required: boolean, filled = ''): Markup {
  return html`<label for="${action}-reason">${label}${required ? ' (required)' : ' (if you like)'}</label><textarea id="${action}-reason" name="reason" rows="2" maxlength="2000"${required && html` required`}>${filled}</textarea>`;
}

function approve(facts: ApprovalFacts): Markup {
  return form(facts, 'approve', 'Approve', html`<p>Exactly the arguments above may be executed, once.</p>${reason('approve', 'Reason', facts.view.approverReason === 'required')}<button id="approve">Approve</button>`);
}

function deny(facts: ApprovalFacts): Markup {
  return form(facts, 'deny', 'Deny', html`<p>The call will not be executed.</p>${reason('deny', 'Reason', true, facts.filled?.reason)}<button class="stop">Deny</button>`);
}

function edit(facts: ApprovalFacts, args: string): Markup {
  return html`<details${facts.filled?.args !== undefined && html` open`}><summary>Approve with other arguments</summary>${form(
    facts,
    'edit',
    'Approve with other arguments',
    html`<p>Everybody is asked again about these, and the agent is told that they were changed.</p><label for="args">Arguments (JSON)</label><textarea id="args" name="args" class="code" rows="10" spellcheck="false">${visible(args)}</textarea>${reason('edit', 'Reason', facts.view.approverReason === 'required')}<button>Approve these arguments</button>`,
  )}</details>`;
}

function breakGlass(facts: ApprovalFacts): Markup {
  return html`<details><summary>Emergency: break the glass</summary>${form(
    facts,
    'break-glass',
    'Break the glass',
    html`<p>You approve alone, for everybody. Everybody in the flow is told, and it is reviewed afterwards.</p>${reason('break-glass', 'Why it cannot wait', true)}<button class="stop">Break the glass and approve alone</button>`,
  )}</details>`;
}

function cancel(facts: ApprovalFacts): Markup {
  return html`<details><summary>Take the call back</summary>${form(facts, 'cancel', 'Cancel', html`<p>The call ends and is not executed.</p>${reason('cancel', 'Reason', false)}<button class="stop">Cancel the call</button>`)}</details>`;
}
