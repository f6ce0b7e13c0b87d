import type { ApprovalView, VoteView } from '../desk/approval-view.ts';
import type { Message, MessageKind } from '../notify/message-channel.ts';
import { actions, type Button, context, fields, header, section, type SlackBlock, type SlackContent, slackLimits } from './blocks.ts';
import type { Handle } from './handles.ts';
import { left, shortDigest, slackText, utc } from './text.ts';
import { isAboveCeiling, type SlackSettings } from './workspace.ts';

const ASKS: Readonly<Record<MessageKind, string>> = {
  asked: 'Approval needed',
  reminded: 'Still waiting for approval',
  escalated: 'Approval needed, nobody decided in time',
  delegated: 'Approval needed in place of somebody',
  broke_glass: 'Approved in an emergency',
};
const ENDED: Readonly<Record<Exclude<ApprovalView['status'], 'held'>, string>> = {
  approved: 'Approved',
  claimed: 'Approved, being executed',
  executed: 'Approved and executed',
  failed: 'Approved; the call failed',
  unknown: 'Approved; whether it was executed is unknown',
  denied: 'Denied, not executed',
  expired: 'Expired, not executed',
  cancelled: 'Taken back, not executed',
  killed: 'Stopped by a kill switch, not executed',
};

/** Lines of the summary, and of the votes, that are shown at most. */
const MOST_LINES = 20;
const LINE = 200;
const NAME = 200;

export interface Rendering {
  readonly settings: Pick<SlackSettings, 'showArguments' | 'riskCeiling'>;
  readonly now: number;
  /** What a button carries. */
  readonly seal: (asks: Handle['asks']) => string;
}

/** A message as its approval is now: with buttons while its step is open, and with what people did and what became of it. */
export function renderMessage(message: Message, rendering: Rendering): SlackContent {
  const { view, kind } = message;
  const title = view.status === 'held' ? ASKS[kind] : ENDED[view.status];
  const short = (text: string): string => slackText(text, NAME);
  const blocks: SlackBlock[] = [
    header(slackText(`${title}: ${view.tool}`, slackLimits.header)),
    fields([
      `Who asks\n${short(view.caller.user)}`,
      `Agent\n${short(view.caller.agent ?? 'none')} (client ${short(view.caller.client)})`,
      `Tool\n${short(view.tool)}`,
      `Server\n${short(view.server)}`,
      `Class\n${short(view.impactClass)}`,
      `Arguments\n${view.argsAbsent ? 'none' : shortDigest(view.argsDigest)}`,
    ]),
    section(slackText(`Why people are asked: ${view.why}`, slackLimits.section)),
    ...summary(message, rendering),
    ...edits(view),
    ...votes(view),
    context(slackText(progress(message, rendering.now), slackLimits.context)),
    ...choices(message, rendering),
  ];
  return { text: slackText(`${title}: ${view.tool} on ${view.server}, asked by ${view.caller.user}`, slackLimits.fallback), blocks };
}

/** Whether people can decide about it where they read this message. */
export function isOpenHere({ view, step, kind }: Message, { settings, now }: Pick<Rendering, 'settings' | 'now'>): boolean {
  return kind !== 'broke_glass' && view.status === 'held' && view.step === step && now < Date.parse(view.expiresAt) && !isAboveCeiling(view.impactClass, settings.riskCeiling);
}

function summary({ summary: lines }: Message, { settings }: Rendering): SlackBlock[] {
  if (settings.showArguments === 'none' || lines.length === 0) return [];
  const shown = lines.slice(0, MOST_LINES).map((line) => slackText(line, LINE));
  const more = lines.length > MOST_LINES ? [`… and ${lines.length - MOST_LINES} more`] : [];
  return [section(within(shown.concat(more)))];
}

function edits({ edits: all }: ApprovalView): SlackBlock[] {
  if (all.length === 0) return [];
  const lines = all.slice(-MOST_LINES).map(({ person, at, from, to }) => `${slackText(person, NAME)} changed the arguments, ${utc(at)}: ${shortDigest(from)} → ${shortDigest(to)}`);
  return [section(within(lines))];
}

function votes({ votes: all, brokenBy }: ApprovalView): SlackBlock[] {
  const lines = all.slice(-MOST_LINES).map(voteLine);
  if (brokenBy !== null) lines.push(`${slackText(brokenBy, NAME)} approved alone, in an emergency`);
  return lines.length === 0 ? [] : [section(within(lines))];
}

function voteLine(vote: VoteView): string {
  const place = vote.for === undefined ? '' : ` for ${slackText(vote.for, NAME)}`;
  const stale = vote.counts ? '' : ' (does not count any more)';
  return `${slackText(vote.person, NAME)}${place} ${vote.verdict === 'approve' ? 'approved' : 'denied'} · ${slackText(vote.step, NAME)} · ${utc(vote.at)}${stale}`;
}

/** As many whole lines as Slack takes; a line that was escaped is never cut. */
function within(lines: readonly string[]): string {
  let text = '';
  for (const line of lines) {
    const next = text === '' ? line : `${text}\n${line}`;
    if (next.length > slackLimits.section - 2) return `${text}\n…`;
    text = next;
  }
  return text;
}

function progress({ view, step }: Message, now: number): string {
  const until = Date.parse(view.expiresAt);
  if (view.status === 'held') {
    const here = view.step === step ? '' : ` · step ${view.steps[step]?.name ?? ''} is ${view.steps[step]?.state ?? 'over'}`;
    return now < until ? `${view.progress}${here} · until ${utc(view.expiresAt)}, ${left(until, now)} left` : `${view.progress} · time is over`;
  }
  return `${ENDED[view.status]} · ${utc(view.changedAt)}`;
}

function choices(message: Message, rendering: Rendering): SlackBlock[] {
  const { view, link } = message;
  const open: Button[] = link.length <= slackLimits.url ? [{ action: 'open', label: 'Open in Holdfast', url: link }] : [];
  if (isOpenHere(message, rendering)) {
    const edit: Button[] = rendering.settings.showArguments === 'full' && view.method !== 'resources/read' ? [{ action: 'edit', label: 'Change and approve', value: rendering.seal('edit') }] : [];
    return [
      actions([
        { action: 'approve', label: 'Approve', style: 'primary', value: rendering.seal('approve') },
        { action: 'deny', label: 'Deny', style: 'danger', value: rendering.seal('deny') },
        ...edit,
        ...open,
      ]),
    ];
  }
  if (view.status !== 'held' || open.length === 0) return [];
  const above = isAboveCeiling(view.impactClass, rendering.settings.riskCeiling);
  return [...(above ? [context('Calls of this class are decided in the console.')] : []), actions(open)];
}
