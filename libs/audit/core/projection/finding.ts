/** What was odd about the records of a log. Findings are derived from the journal alone and never stop the projection. */
export type FindingKind =
  /** Events of a producer are missing. */
  | 'gap'
  /** An event does not follow from the one before it. */
  | 'chain_broken'
  /** Another event came under a number that was taken. */
  | 'equivocation'
  /** A record is no acceptable event. */
  | 'rejected'
  /** Records repeated events that the log already has. */
  | 'duplicate'
  /** A missing event came after nobody waited for it any more. */
  | 'late'
  /** What travelled sealed beside an event is not what the event says was sealed. */
  | 'sealed_mismatch';

export interface Finding {
  readonly tenant: string;
  /** Says what it is about, so that the same fact is one finding however often it is noticed. */
  readonly id: string;
  readonly kind: FindingKind;
  readonly producer: string | null;
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  /** Log index at which it was noticed, where there is an entry. */
  readonly index: number | null;
  readonly source: string;
  readonly position: string;
  /** When the journal took the record that showed it, milliseconds. */
  readonly at: number;
  readonly count: number;
  /** A gap whose events all came in the end. */
  readonly closedAt: number | null;
  readonly closedIndex: number | null;
}

/** Changes to findings of one batch; a finding of an earlier batch is known by its id alone. */
export interface FindingChange {
  readonly tenant: string;
  readonly id: string;
  /** How many more times it was noticed. */
  readonly more: number;
  readonly closedAt: number | null;
  readonly closedIndex: number | null;
}

/** Collects the findings of a batch; what concerns one finding becomes one row or one change. */
export class FindingLedger {
  private readonly opened = new Map<string, Finding>();
  private readonly changed = new Map<string, FindingChange>();

  open(finding: Omit<Finding, 'count' | 'closedAt' | 'closedIndex'>): void {
    const key = `${finding.tenant}\n${finding.id}`;
    if (this.opened.has(key)) this.again(finding.tenant, finding.id);
    else this.opened.set(key, { ...finding, count: 1, closedAt: null, closedIndex: null });
  }

  again(tenant: string, id: string): void {
    this.change(tenant, id, (more) => ({ ...more, more: more.more + 1 }));
  }

  close(tenant: string, id: string, closedAt: number, closedIndex: number): void {
    this.change(tenant, id, (more) => ({ ...more, closedAt, closedIndex }));
  }

  get findings(): readonly Finding[] {
    return [...this.opened.values()];
  }

  get changes(): readonly FindingChange[] {
    return [...this.changed.values()];
  }

  private change(tenant: string, id: string, apply: (change: FindingChange) => FindingChange): void {
    const key = `${tenant}\n${id}`;
    const fresh = this.opened.get(key);
    const change = apply(this.changed.get(key) ?? { tenant, id, more: 0, closedAt: null, closedIndex: null });
    if (!fresh) {
      this.changed.set(key, change);
      return;
    }
    this.opened.set(key, applyChange(fresh, change));
  }
}

export function applyChange(finding: Finding, change: FindingChange): Finding {
  return { ...finding, count: finding.count + change.more, closedAt: change.closedAt ?? finding.closedAt, closedIndex: change.closedIndex ?? finding.closedIndex };
}
