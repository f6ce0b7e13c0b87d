import { readEvent } from '../event/read-event.ts';
import { isCallEvent } from '../calls/fold-call.ts';
import { base64url, sha256 } from '../sha256.ts';
import { frontierOf, fullTiles, GrowingTree, joinHashes, rootOf, TILE_WIDTH, tileLevels, tileRoot } from '../tree/growing-tree.ts';
import { CHAIN_START, chainHash, leafHash, sameBytes } from '../tree/hashes.ts';
import { checkCalls } from './check-calls.ts';
import type { LogReading, StoredEntry, StoredHead } from './log-reading.ts';
import { type ContinuityProblem, ProducerContinuity } from './producer-continuity.ts';
import { type PropertyResult, Tally, type Verdict, verdictOf } from './property.ts';
import { TileReader } from './tile-reader.ts';

/** What a verifier keeps of a log it has verified, to begin from next time and to catch a log that went back. Hashes in base64url. */
export interface RememberedLog {
  readonly size: number;
  readonly frontier: readonly string[];
  readonly chain: string;
}

export interface VerifyReport {
  readonly tenant: string;
  readonly size: number;
  /** First index that was read; those before it were verified earlier. */
  readonly from: number;
  readonly root: string;
  readonly verdict: Verdict;
  readonly properties: readonly PropertyResult[];
  /** To be kept by whoever trusts this report, and given to the next verification. Only with verdict PASS. */
  readonly remember?: RememberedLog;
}

export interface VerifyOptions {
  readonly remembered?: RememberedLog;
  /** Read from the remembered size on instead of from the beginning. */
  readonly incremental?: boolean;
  readonly progress?: (done: number, total: number) => void;
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64url');

/**
 * Recomputes everything that is derived from the bytes of a log and holds it against what is stored. Says of each property
 * whether it holds, and what it could not check. Memory is bounded by the number of producers, not by the length of the log.
 */
export async function verifyLog(log: LogReading, options: VerifyOptions = {}): Promise<VerifyReport> {
  const head = await log.head();
  const { remembered } = options;
  const from = options.incremental && remembered && remembered.size <= (head?.size ?? 0) ? remembered.size : 0;
  const run = new Verification(log, head, from, remembered);
  await run.start();
  let done = from;
  const total = head?.size ?? 0;
  for await (const page of log.entries(from)) {
    for (const entry of page) {
      const pending = run.take(entry);
      if (pending) await pending;
    }
    done += page.length;
    options.progress?.(done, Math.max(total, done));
  }
  return run.report();
}

class Verification {
  private readonly dense = new Tally('entries');
  private readonly leaves = new Tally('leaf hashes');
  private readonly chainLinks = new Tally('hash chain');
  private readonly tileHashes = new Tally('tiles');
  private readonly headFits = new Tally('head');
  private readonly canonical = new Tally('canonical form');
  private readonly columns = new Tally('columns');
  private readonly producers = new Tally('producers');
  private readonly past = new Tally('truncation');
  private readonly continuity: ProducerContinuity;
  private readonly tiles: TileReader;
  private tree: GrowingTree;
  private chain: Uint8Array;
  private readonly size: number;
  private index: number;
  private callEvents = 0;
  private pastReached = false;

  constructor(
    private readonly log: LogReading,
    private readonly head: StoredHead | null,
    private readonly from: number,
    private readonly remembered: RememberedLog | undefined,
  ) {
    this.size = head?.size ?? 0;
    this.index = from;
    this.tree = new GrowingTree({ size: 0, frontier: [], partial: [] });
    this.chain = CHAIN_START;
    this.tiles = new TileReader(log);
    this.continuity = new ProducerContinuity(async (producer, seq) => {
      if (this.from === 0) return null;
      const entry = await this.log.entryOf(producer, seq);
      return entry && entry.index < this.from ? base64url(sha256(entry.bytes)) : null;
    });
  }

  async start(): Promise<void> {
    if (this.remembered && this.remembered.size > this.size) this.past.fail(`the log has ${this.size} entries; it had ${this.remembered.size} before`, this.size);
    if (this.from === 0) {
      this.comparePast();
      return;
    }
    // The tree is taken up where it was left: what is stored of it must add up to what was remembered.
    const frontier = this.remembered!.frontier.map(bytesOf);
    const partial = await this.partialAt(this.from);
    this.chain = bytesOf(this.remembered!.chain);
    this.tree = new GrowingTree({ size: this.from, frontier, partial });
    this.pastReached = true;
    if (!sameBytes(joinHashes(frontierOf(partial)), joinHashes(frontier))) this.past.fail(`the first ${this.from} entries are not the ones that were verified before`, this.from - 1);
  }

  take(entry: StoredEntry): Promise<void> | undefined {
    const { index } = entry;
    if (index !== this.index) this.dense.fail(index > this.index ? `entry ${this.index} is missing` : `entry ${index} stands after entry ${this.index - 1}`, this.index);
    else if (index >= this.size) this.dense.fail(`there are entries beyond the size ${this.size} that the head states`, index);
    this.index = index + 1;
    const leaf = leafHash(entry.bytes);
    if (!sameBytes(leaf, entry.leaf)) this.leaves.fail(`the leaf hash stored with entry ${index} is not that of its bytes`, index);
    const chain = chainHash(this.chain, leaf);
    if (!sameBytes(chain, entry.chain)) this.chainLinks.fail(`the chain breaks at entry ${index}`, index);
    // Go on from what is stored, so that one broken link is one problem.
    this.chain = entry.chain;
    this.tree.append(leaf);
    this.comparePast();
    const content = this.takeContent(entry);
    if (this.tree.tiles.length === 0) return content;
    return this.afterwards(content);
  }

  async report(): Promise<VerifyReport> {
    const { log, head, size, from } = this;
    if (this.index < size) this.dense.fail(`entries ${this.index} to ${size - 1} are missing`, this.index);
    if (head) {
      if (!sameBytes(joinHashes(this.tree.state().frontier), head.frontier)) this.headFits.fail('the head does not state the root of these entries');
      if (!sameBytes(this.chain, head.chain)) this.headFits.fail('the head does not state the end of the hash chain');
    } else if (this.index > 0) this.headFits.fail('there is no head');
    const surplus = await this.tiles.surplus(size);
    if (surplus) this.tileHashes.fail(surplus);
    for (const problem of this.continuity.missing()) this.producers.fail(problem.sentence, problem.index);
    const root = base64url(this.tree.root);
    const properties = [
      this.dense.result(`${this.index - from} entries, dense${from > 0 ? ` from ${from} on` : ''}`),
      this.leaves.result('every leaf hash is that of its entry'),
      this.chainLinks.result('every link of the chain follows from the one before'),
      this.tileHashes.result('every full tile holds the hashes of its entries'),
      this.headFits.result(`the head states the root ${root}`),
      this.canonical.result('every entry is an event of the catalogue in canonical form'),
      this.columns.result('producer and number beside each entry are those in its bytes'),
      this.producers.result(`${this.continuity.producers} producers, no event missing${this.continuity.late > 0 ? `, ${this.continuity.late} late` : ''}`),
      from > 0 ? notGiven('calls', 'not compared: the read model is compared when the whole log is read') : await checkCalls(log, this.callEvents),
      this.remembered ? this.past.result(`the log extends the ${this.remembered.size} entries known before`) : notGiven('truncation', 'not checked: no earlier size and root were given, and a cut tail shows only against one'),
      notGiven('sealed values', 'not checked: whether what is sealed fits its commitments only the keys can tell'),
      notGiven('findings', 'not checked: findings, producer states and cursors are derived anew by a rebuild, not here'),
      notGiven('signatures', 'not checked: this log has no signed checkpoints'),
    ];
    const verdict = verdictOf(this.index, properties);
    return {
      tenant: log.tenant, size: this.index, from, root, verdict, properties,
      ...(verdict === 'PASS' ? { remember: { size: this.tree.size, frontier: this.tree.state().frontier.map(base64url), chain: base64url(this.chain) } } : {}),
    };
  }

  private takeContent(entry: StoredEntry): Promise<void> | undefined {
    const { index, bytes } = entry;
    const reading = readEvent(bytes);
    if ('rejected' in reading) {
      this.canonical.fail(`entry ${index} is no event: ${reading.rejected}`, index);
      return undefined;
    }
    const { event, seq } = reading;
    if (event.tenant !== this.log.tenant) this.canonical.fail(`entry ${index} belongs to another tenant`, index);
    if (event.producer.id !== entry.producer || seq !== entry.seq) this.columns.fail(`producer or number beside entry ${index} is not that of its bytes`, index);
    if (isCallEvent(event)) this.callEvents++;
    const problem = this.continuity.next(event, seq, base64url(sha256(bytes)), index);
    if (problem instanceof Promise) return problem.then((found) => this.tellOf(found));
    this.tellOf(problem);
    return undefined;
  }

  private tellOf(problem: ContinuityProblem | undefined): void {
    if (problem) this.producers.fail(problem.sentence, problem.index);
  }

  private async afterwards(content: Promise<void> | undefined): Promise<void> {
    await content;
    await this.compareTiles();
  }

  private comparePast(): void {
    const { remembered } = this;
    if (!remembered || this.pastReached || this.tree.size !== remembered.size) return;
    this.pastReached = true;
    const frontier = joinHashes(remembered.frontier.map(bytesOf));
    if (!sameBytes(joinHashes(this.tree.state().frontier), frontier)) this.past.fail(`the first ${remembered.size} entries are not the ones that were verified before`, Math.max(0, remembered.size - 1));
  }

  private async compareTiles(): Promise<void> {
    for (const tile of this.tree.tiles.splice(0)) {
      const stored = await this.tiles.next(tile.level, tile.n);
      if (stored === null) this.tileHashes.fail(`tile ${tile.level}/${tile.n} is missing`, tile.n * TILE_WIDTH ** (tile.level + 1));
      else if (!sameBytes(stored, tile.hashes)) this.tileHashes.fail(`tile ${tile.level}/${tile.n} does not hold the hashes of its entries`, tile.n * TILE_WIDTH ** (tile.level + 1));
    }
  }

  /** The hashes behind the last full tiles of the tree of this size, from stored leaves and tiles. */
  private async partialAt(size: number): Promise<Uint8Array[][]> {
    const partial: Uint8Array[][] = [];
    for (let level = 0; level < tileLevels(size); level++) {
      const end = level === 0 ? size : fullTiles(size, level - 1);
      const first = end - (end % TILE_WIDTH);
      const hashes: Uint8Array[] = [];
      if (level === 0) {
        const stored = await this.log.entriesAt(Array.from({ length: end - first }, (_, i) => first + i));
        hashes.push(...stored.map((entry) => leafHash(entry.bytes)));
      } else {
        const below = new TileReader(this.log);
        for (let n = first; n < end; n++) {
          const tile = await below.next(level - 1, n);
          if (tile) hashes.push(tileRoot(tile));
        }
      }
      partial.push(hashes);
    }
    return partial;
  }
}

function notGiven(property: string, sentence: string): PropertyResult {
  return { property, status: 'NOT CHECKED', sentence, notGiven: true };
}

/** The root that a remembered log stands for. */
export function rememberedRoot(remembered: RememberedLog): string {
  return base64url(rootOf(remembered.frontier.map(bytesOf)));
}
