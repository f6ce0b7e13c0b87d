import { canonicalJson } from '#libs/contracts';
import type { Journal } from '#libs/ports';
import { Projector } from '../projection/projector.ts';
import { base64url } from '../sha256.ts';
import { joinHashes, rootOf, splitHashes } from '../tree/growing-tree.ts';
import { EMPTY_ROOT, sameBytes } from '../tree/hashes.ts';
import { Tally, type PropertyResult, type Verdict, verdictOf } from '../verify/property.ts';
import type { LogReading } from '../verify/log-reading.ts';
import { callKey } from '../projection/read-records.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

export interface RebuildOptions {
  readonly journal: Journal;
  readonly source: string;
  /** Journal position to rebuild up to: where the stored tables stand. */
  readonly until: bigint;
  readonly maxRecords?: number;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface RebuildReport {
  readonly tenant: string;
  readonly size: number;
  readonly storedRoot: string;
  readonly rebuiltRoot: string;
  readonly verdict: Verdict;
  readonly properties: readonly PropertyResult[];
}

/**
 * Projects the journal from its beginning into memory, through the code that projects it live. Bounded by memory: about 150 bytes an
 * event and 1 kB a call, so some millions of events; a rebuild into tables is the same projector on an empty database.
 */
export async function rebuild(options: RebuildOptions): Promise<MemoryAuditStore> {
  const store = new MemoryAuditStore();
  const { until } = options;
  if (until === 0n) return store;
  const stop = new AbortController();
  const projector = new Projector({
    journal: upTo(options.journal, until),
    store,
    source: options.source,
    sleep: () => Promise.resolve(),
    ...(options.maxRecords === undefined ? {} : { limits: { maxRecords: options.maxRecords } }),
    onBatch: (batch) => {
      options.progress?.(Number(batch.to), Number(until));
      if (batch.to >= until) stop.abort();
    },
  });
  await projector.run(options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal);
  options.signal?.throwIfAborted();
  return store;
}

/** The journal as far as a position, so that what was appended meanwhile is not in the comparison. */
function upTo(journal: Journal, until: bigint): Journal {
  return {
    append: (batch) => journal.append(batch),
    sources: () => journal.sources(),
    end: () => Promise.resolve(until),
    follow: (options, onBatch) =>
      journal.follow(options, async (records) => {
        const wanted = records.filter((record) => record.position < until);
        if (wanted.length > 0) await onBatch(wanted);
      }),
  };
}

/** Holds one tenant's stored log against the rebuilt one: size, root, chain and every row of the read model. */
export async function compareRebuilt(rebuilt: MemoryAuditStore, log: LogReading): Promise<RebuildReport> {
  const [root, rows] = [new Tally('root'), new Tally('calls')];
  const stored = await log.head();
  const state = rebuilt.logStates.get(log.tenant);
  const size = state?.tree.size ?? 0;
  if ((stored?.size ?? 0) !== size) root.fail(`the stored log has ${stored?.size ?? 0} entries, the journal makes ${size}`, Math.min(stored?.size ?? 0, size));
  else if (stored && state && !(sameBytes(stored.frontier, joinHashes(state.tree.frontier)) && sameBytes(stored.chain, state.chain))) root.fail('the stored log is not the one that the journal makes');
  let compared = 0;
  for await (const page of log.calls()) {
    for (const row of page) {
      compared++;
      const other = rebuilt.callRows.get(callKey(row.tenant, row.call));
      if (!other || canonicalJson(other) !== canonicalJson(row)) rows.fail(`call ${row.call} is not what the journal makes of it`, row.firstIndex);
    }
  }
  const expected = [...rebuilt.callRows.values()].filter((row) => row.tenant === log.tenant).length;
  if (compared !== expected) rows.fail(`there are ${compared} calls, the journal makes ${expected}`);
  const properties = [root.result('the journal makes this very log'), rows.result(`${compared} calls are what the journal makes of them`)];
  return {
    tenant: log.tenant,
    size,
    storedRoot: base64url(stored ? rootOf(splitHashes(stored.frontier)) : EMPTY_ROOT),
    rebuiltRoot: base64url(state ? rootOf(state.tree.frontier) : EMPTY_ROOT),
    verdict: verdictOf(size, properties),
    properties,
  };
}
