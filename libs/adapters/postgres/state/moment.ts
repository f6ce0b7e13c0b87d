import type { Delegation, DelegationScope, Moment } from '#libs/approvals/core';

export interface MomentRow {
  readonly revision: number | null;
  readonly delegations: readonly { readonly from: string; readonly to: string; readonly until: number; readonly scope: DelegationScope }[] | null;
}

/** Columns of what a decision must know of its moment, for a tenant that a parameter names. */
export function selectMoment(tenant: string): string {
  return `(select max(revision) from state.config_revision) as revision,
    (select json_agg(json_build_object('from', delegator, 'to', delegate, 'until', until, 'scope', scope) order by created_at)
     from state.delegation d where d.tenant = ${tenant} and not d.revoked and d.until > extract(epoch from clock_timestamp()) * 1000) as delegations`;
}

export function momentOf({ revision, delegations }: MomentRow): Moment {
  return { revision: revision ?? 0, delegations: (delegations ?? []) satisfies readonly Delegation[] };
}
