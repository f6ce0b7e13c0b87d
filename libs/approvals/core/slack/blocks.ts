/** Slack's own bounds; what is longer it refuses as a whole. */
export const slackLimits = {
  header: 150,
  section: 3_000,
  field: 2_000,
  context: 2_000,
  button: 75,
  /** Of a button's value. */
  value: 2_000,
  url: 3_000,
  blocks: 50,
  fields: 10,
  viewTitle: 24,
  label: 2_000,
  input: 3_000,
  privateMetadata: 3_000,
  /** Of the line that notifications show; Slack cuts longer ones itself. */
  fallback: 500,
} as const;

/** A block of Slack's Block Kit, as JSON. */
export type SlackBlock = { readonly type: string } & Readonly<Record<string, unknown>>;

/** What a message shows: blocks, and the line for notifications. Everything in it is escaped. */
export interface SlackContent {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

/** A modal, as JSON. */
export type SlackView = { readonly type: 'modal' } & Readonly<Record<string, unknown>>;

/** Text without any markup: what it holds is escaped already. */
export const plain = (text: string): { readonly type: 'plain_text'; readonly text: string; readonly emoji: false } => ({ type: 'plain_text', text, emoji: false });

export const header = (text: string): SlackBlock => ({ type: 'header', text: plain(text) });
export const section = (text: string): SlackBlock => ({ type: 'section', text: plain(text) });
export const fields = (texts: readonly string[]): SlackBlock => ({ type: 'section', fields: texts.slice(0, slackLimits.fields).map(plain) });
export const context = (text: string): SlackBlock => ({ type: 'context', elements: [plain(text)] });

export interface Button {
  readonly action: string;
  readonly label: string;
  readonly value?: string;
  readonly url?: string;
  readonly style?: 'primary' | 'danger';
}

export const button = ({ action, label, ...more }: Button): SlackBlock => ({ type: 'button', action_id: action, text: plain(label), ...more });
export const actions = (buttons: readonly Button[]): SlackBlock => ({ type: 'actions', elements: buttons.map(button) });
