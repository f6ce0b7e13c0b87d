import type { SealedField } from '#libs/contracts';
import type { CallRow } from '../calls/call-row.ts';
import type { Tile, TreeState } from '../tree/growing-tree.ts';
import type { Finding, FindingChange } from './finding.ts';
import type { ProducerState } from './producer-sequence.ts';

/** One tenant's log as far as appending needs it. */
export interface LogState {
  readonly tenant: string;
  readonly tree: TreeState;
  readonly chain: Uint8Array;
}

export interface NewEntry {
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
  readonly chain: Uint8Array;
  readonly producer: string;
  readonly seq: number;
  readonly sealed: readonly SealedField[];
}

export interface LogGrowth {
  readonly tenant: string;
  /** Size before; the first new entry gets this index. */
  readonly size: number;
  readonly entries: readonly NewEntry[];
  readonly tiles: readonly Tile[];
  readonly after: LogState;
}

/** Everything one transaction writes. */
export interface ProjectedBatch {
  readonly source: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly logs: readonly LogGrowth[];
  readonly producers: readonly ProducerState[];
  readonly calls: readonly CallRow[];
  readonly findings: readonly Finding[];
  readonly findingChanges: readonly FindingChange[];
}

export interface ProducerKey {
  readonly tenant: string;
  readonly producer: string;
}
export interface CallKey {
  readonly tenant: string;
  readonly call: string;
}
export interface SeqKey extends ProducerKey {
  readonly seq: number;
}

/**
 * The audit tables as the projector sees them. Reads return what is committed; keys without a row are absent from the answer.
 * Throws {@link StoreUnavailable} when trying again later may help; whether an append took effect is then unknown.
 */
export interface AuditStore {
  /** Next journal position per source. */
  cursors(): Promise<ReadonlyMap<string, bigint>>;
  /** Throws {@link StoredLogDamaged} when a stored log contradicts itself. */
  logs(tenants: readonly string[]): Promise<readonly LogState[]>;
  producers(keys: readonly ProducerKey[]): Promise<readonly ProducerState[]>;
  calls(keys: readonly CallKey[]): Promise<readonly CallRow[]>;
  /** Leaf hashes of the entries with these producers and sequence numbers. */
  leaves(keys: readonly SeqKey[]): Promise<readonly (SeqKey & { readonly leaf: Uint8Array })[]>;
  /**
   * Writes a batch in one transaction, if and only if the cursor and the log sizes are still what the batch was made from;
   * throws {@link ProjectorSuperseded} otherwise.
   */
  append(batch: ProjectedBatch): Promise<void>;
}
export const AuditStore = Symbol('AuditStore');

/** Another projector moved the cursor or a log: this one works from a past that is gone and must stop. */
export class ProjectorSuperseded extends Error {
  constructor(detail: string) {
    super(`another projector is at work: ${detail}`);
    this.name = 'ProjectorSuperseded';
  }
}

/** The audit database cannot be used right now. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('the audit database cannot be used right now', { cause });
    this.name = 'StoreUnavailable';
  }
}

/** What is stored of a log does not fit together; nothing may be appended to it. */
export class StoredLogDamaged extends Error {
  constructor(
    readonly tenant: string,
    detail: string,
  ) {
    super(`the stored log of ${tenant} is damaged: ${detail}; nothing is appended to it, run holdfast audit verify`);
    this.name = 'StoredLogDamaged';
  }
}
