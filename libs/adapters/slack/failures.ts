import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { JobHopeless, JobPostponed } from '#libs/ports';

/** A channel of a tenant that nothing gets through any more until somebody mends it. */
export interface BrokenChannel {
  readonly tenant: string;
  /** The room; null when it is the whole app. */
  readonly room: string | null;
  /** Slack's code, or a sentence of ours. */
  readonly problem: string;
}

const APP_IS_BROKEN = new Set(['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'token_expired', 'missing_scope', 'no_permission', 'team_access_not_granted', 'org_login_required', 'access_denied']);
const ROOM_IS_BROKEN = new Set(['channel_not_found', 'not_in_channel', 'is_archived', 'restricted_action', 'restricted_action_read_only_channel']);
const IS_HOPELESS = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed', 'msg_too_long', 'msg_blocks_too_long', 'invalid_blocks', 'invalid_blocks_format', 'invalid_arguments', 'metadata_too_large', 'user_not_found', 'users_not_found', 'user_disabled', 'cannot_dm_bot', 'user_not_visible', 'users_not_visible', 'messages_tab_disabled']);

/** Slack asked to wait without a word on how long. */
const WAIT_MS = 30_000;
const LEAST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 3_600_000;

/** Slack's code for why it did not do what was asked; undefined when it was not Slack who said no. */
export function slackCode(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError ? error.data.error : undefined;
}

/** What a failure means to the job that met it, and to the channel. Its text holds codes of Slack and nothing of anybody. */
export function judge(error: unknown): { readonly error: Error; readonly broken?: { readonly whole: boolean; readonly problem: string } } {
  if (error instanceof WebAPIRateLimitedError) return { error: new JobPostponed(Math.min(Math.max(error.retryAfter * 1_000, LEAST_WAIT_MS), MOST_WAIT_MS)) };
  const code = slackCode(error);
  if (code !== undefined) {
    if (code === 'ratelimited' || code === 'rate_limited') return { error: new JobPostponed(WAIT_MS) };
    const whole = APP_IS_BROKEN.has(code);
    if (whole || ROOM_IS_BROKEN.has(code)) return { error: new JobHopeless(`slack: ${code}`), broken: { whole, problem: code } };
    if (IS_HOPELESS.has(code)) return { error: new JobHopeless(`slack: ${code}`) };
    return { error: new Error(`slack: ${code}`) };
  }
  if (error instanceof WebAPIHTTPError) return { error: new Error(`slack answered ${error.statusCode}`) };
  if (error instanceof WebAPIRequestError) return { error: new Error('slack could not be reached', { cause: error.original }) };
  return { error: error instanceof Error ? error : new Error(String(error)) };
}
