export type PropertyStatus = 'PASS' | 'FAIL' | 'NOT CHECKED';

/** One thing a verification says. `index` is the first log index that is wrong. */
export interface PropertyResult {
  readonly property: string;
  readonly status: PropertyStatus;
  readonly sentence: string;
  readonly index?: number;
  /** NOT CHECKED because nothing was given that it could be checked against; the sentence says what to give. */
  readonly notGiven?: boolean;
}

export type Verdict = 'PASS' | 'FAIL' | 'INCOMPLETE' | 'NO ENTRIES';

/**
 * FAIL beats INCOMPLETE beats PASS. A property that could not be checked from what was given is named in the report and does not
 * make it incomplete; one that was left unchecked for another reason does.
 */
export function verdictOf(entries: number, properties: readonly PropertyResult[]): Verdict {
  if (properties.some((property) => property.status === 'FAIL')) return 'FAIL';
  if (entries === 0) return 'NO ENTRIES';
  return properties.some((property) => property.status === 'NOT CHECKED' && property.notGiven !== true) ? 'INCOMPLETE' : 'PASS';
}

const EXIT_CODES: Readonly<Record<Verdict, 0 | 1 | 3>> = { PASS: 0, FAIL: 1, INCOMPLETE: 3, 'NO ENTRIES': 3 };

/** Exit code of the command line: 0 everything that could be checked holds, 1 something failed, 3 incomplete or nothing to check. */
export function exitCodeOf(verdict: Verdict): 0 | 1 | 3 {
  return EXIT_CODES[verdict];
}

/** Collects what is wrong with one property: how often, and where first. */
export class Tally {
  private count = 0;
  private firstIndex: number | undefined;
  private firstSentence: string | undefined;

  constructor(private readonly property: string) {}

  fail(sentence: string, index?: number): void {
    this.count++;
    this.firstSentence ??= sentence;
    if (this.count === 1) this.firstIndex = index;
  }

  result(holds: string): PropertyResult {
    if (this.count === 0) return { property: this.property, status: 'PASS', sentence: holds };
    const more = this.count === 1 ? '' : ` (and ${this.count - 1} more)`;
    return { property: this.property, status: 'FAIL', sentence: `${this.firstSentence!}${more}`, ...(this.firstIndex === undefined ? {} : { index: this.firstIndex }) };
  }
}
