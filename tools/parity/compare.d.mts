export type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO' | 'ABSENT';

export interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

export interface Verdict {
  readonly set: string;
  readonly scenario: string;
  readonly check: string;
  readonly scored: boolean;
  readonly status: string;
  readonly message?: string;
}

export interface AllowedDifference {
  readonly set: string;
  readonly scenario: string;
  readonly check: string;
  readonly direct: string;
  readonly through: string;
  readonly reason: string;
}

export interface Difference extends Omit<AllowedDifference, 'reason'> {
  readonly scored: boolean;
  readonly message?: string;
  readonly allowed?: string;
}

export interface Outcome {
  readonly passed: boolean;
  readonly score: Readonly<Record<'direct' | 'through', Readonly<Record<string, { readonly passed: number; readonly of: number }>>>>;
  readonly failing: readonly Verdict[];
  readonly differences: readonly Difference[];
  readonly unused: readonly AllowedDifference[];
}

export const REQUIREMENT_SETS: readonly string[];
export const ABSENT: 'ABSENT';
export function verdictsOf(scenario: { readonly set: string; readonly scenario: string; readonly scored: boolean; readonly checks?: readonly Check[] }): Verdict[];
export function compare(runs: { readonly direct: readonly Verdict[]; readonly through?: readonly Verdict[]; readonly allowed?: readonly AllowedDifference[]; readonly mustOccur?: (entry: AllowedDifference) => boolean }): Outcome;
export function checkAllowed(entries: unknown): readonly AllowedDifference[];
