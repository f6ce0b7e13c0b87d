import type { ArgumentsIdentity, CallIdentity } from '#libs/ports';

export type { CallIdentity } from '#libs/ports';

/** Arguments as an approval knows them: the values themselves are sealed beside the events and never stand here. */
export type BoundArguments = ArgumentsIdentity;

/** What an approval is bound to. Nothing of it changes as long as the approval lives; an edit stands beside it. */
export interface Binding extends CallIdentity {
  readonly args: BoundArguments;
  readonly policyVersion: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

const WHO_AND_WHERE = ['tenant', 'user', 'client', 'agent', 'server', 'method', 'tool'] as const satisfies readonly (keyof CallIdentity)[];

/** Whether both are calls of the same thing by the same principal; the definition of the tool may have changed between them. */
export function sameCaller(a: CallIdentity, b: CallIdentity): boolean {
  return WHO_AND_WHERE.every((key) => a[key] === b[key]);
}

export function sameArguments(a: BoundArguments, b: BoundArguments): boolean {
  return a.digest === b.digest && a.absent === b.absent;
}

/** Whether one call repeats another: everything that binds but the time. */
export function sameBinding(a: Binding, b: Binding): boolean {
  return sameCaller(a, b) && a.toolHash === b.toolHash && sameArguments(a.args, b.args) && a.policyVersion === b.policyVersion;
}
