/** What is read of what Slack sends. Nothing else in it is looked at: not its texts, not its addresses, not the message it came from. */
export interface Press {
  readonly kind: 'press';
  readonly team: string;
  readonly app: string;
  readonly user: string;
  /** Slack's ticket for opening a modal; good for three seconds. */
  readonly trigger: string;
  /** Where the person is, as a place to whisper to that person and for nothing else. */
  readonly channel: string | null;
  /** Null for buttons that only open a page. */
  readonly handle: string | null;
}

export interface Submission {
  readonly kind: 'submission';
  readonly team: string;
  readonly app: string;
  readonly user: string;
  readonly handle: string;
  readonly reason: string;
  /** JSON, as the person wrote it; null where the form has no field for it. */
  readonly args: string | null;
}

/** Something that wants no answer: a closed modal, a kind of interaction we do not use. */
export interface Nothing {
  readonly kind: 'nothing';
  readonly team: string;
  readonly app: string;
}

export interface Command {
  readonly kind: 'command';
  readonly team: string;
  readonly app: string;
  readonly user: string;
  readonly channel: string | null;
  readonly words: readonly string[];
}

export type Interaction = Press | Submission | Nothing;

/** Names of the fields of our forms; the block is the key under which the state of a form has them. */
export const formFields = { reason: 'reason', args: 'args' } as const;

const TEAM = /^T[A-Z0-9]{2,20}$/;
const APP = /^A[A-Z0-9]{2,20}$/;
const USER = /^[UW][A-Z0-9]{2,20}$/;
const CHANNEL = /^[CDG][A-Z0-9]{2,20}$/;
const TRIGGER = /^[A-Za-z0-9.-]{1,200}$/;
const MOST_WORDS = 10;

type Json = Readonly<Record<string, unknown>>;

/** Null for what is not an interaction. */
export function readInteraction(payload: unknown): Interaction | null {
  const root = record(payload);
  const from = sender(root);
  if (!from) return null;
  const { team, app, user } = from;
  if (root['type'] === 'view_submission') {
    const view = record(root['view']);
    const handle = text(view['private_metadata']);
    if (handle === null) return null;
    return { kind: 'submission', team, app, user, handle, reason: input(view, formFields.reason) ?? '', args: input(view, formFields.args) };
  }
  if (root['type'] !== 'block_actions') return { kind: 'nothing', team, app };
  const [action] = Array.isArray(root['actions']) ? (root['actions'] as unknown[]) : [];
  const trigger = matching(root['trigger_id'], TRIGGER);
  if (trigger === null) return null;
  return { kind: 'press', team, app, user, trigger, channel: matching(record(root['channel'])['id'], CHANNEL), handle: text(record(action)['value']) };
}

/** Null for what is not a command. `fields` are those of the form that Slack sends. */
export function readCommand(fields: Json): Command | null {
  const team = matching(fields['team_id'], TEAM);
  const app = matching(fields['api_app_id'], APP);
  const user = matching(fields['user_id'], USER);
  if (team === null || app === null || user === null) return null;
  const words = (text(fields['text']) ?? '').trim().toLowerCase().split(/\s+/).filter((word) => word !== '');
  return { kind: 'command', team, app, user, channel: matching(fields['channel_id'], CHANNEL), words: words.slice(0, MOST_WORDS) };
}

function sender(root: Json): { readonly team: string; readonly app: string; readonly user: string } | null {
  const person = record(root['user']);
  const team = matching(record(root['team'])['id'], TEAM);
  const app = matching(root['api_app_id'], APP);
  const user = matching(person['id'], USER);
  if (team === null || app === null || user === null) return null;
  // Somebody of another workspace in a shared channel names their own.
  const own = person['team_id'];
  return own === undefined || own === team ? { team, app, user } : null;
}

function input(view: Json, name: string): string | null {
  return text(record(record(record(record(view['state'])['values'])[name])[name])['value']);
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function matching(value: unknown, form: RegExp): string | null {
  return typeof value === 'string' && form.test(value) ? value : null;
}
