/**
 * The right of one person to decide, used by another. It adds to nobody's count: the two of them together count once. Only a right
 * of one's own can be handed on, so there are no chains.
 */
export interface Delegation {
  readonly from: string;
  readonly to: string;
  /** Milliseconds since the epoch; from then on it is over. */
  readonly until: number;
  readonly scope: DelegationScope;
}

/** What is given must fit; nothing given means everything. */
export interface DelegationScope {
  readonly flow?: string;
  readonly server?: string;
  readonly step?: string;
}

export function isInForce({ until, scope }: Delegation, at: { readonly flow: string; readonly server: string; readonly step: string }, now: number): boolean {
  return now < until && (scope.flow ?? at.flow) === at.flow && (scope.server ?? at.server) === at.server && (scope.step ?? at.step) === at.step;
}
