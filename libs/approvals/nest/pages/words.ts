import type { ApprovalView } from '#libs/approvals/core';
import { html, type Markup } from './html.ts';

export const STATUS: Readonly<Record<ApprovalView['status'], string>> = {
  held: 'Waiting for people',
  approved: 'Approved; waiting to be executed',
  claimed: 'Approved; being executed',
  executed: 'Approved and executed',
  failed: 'Approved; the execution failed',
  unknown: 'Approved; whether it was executed is unknown',
  denied: 'Denied; not executed',
  expired: 'Expired; not executed',
  cancelled: 'Cancelled; not executed',
  killed: 'Stopped by a kill switch; not executed',
};

export const CLASS: Readonly<Record<string, string>> = {
  read: 'read',
  'read-sensitive': 'read of sensitive data',
  write: 'write (internal, can be undone)',
  external: 'external (outside, irreversible or regulated)',
};

/** A moment for people everywhere: UTC, and how far away it is. */
export function moment(iso: string, now: number): Markup {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time> (${distance(Date.parse(iso) - now)})`;
}

export function distance(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes === 0) return 'now';
  const [count, unit] = minutes < 120 ? [minutes, 'minute'] : minutes < 48 * 60 ? [Math.round(minutes / 60), 'hour'] : [Math.round(minutes / 1440), 'day'];
  const text = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return ms > 0 ? `in ${text}` : `${text} ago`;
}
