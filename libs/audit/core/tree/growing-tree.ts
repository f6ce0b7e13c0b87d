import { EMPTY_ROOT, nodeHash } from './hashes.ts';

/** Hashes in a full tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
export const HASH_BYTES = 32;

/** A full tile: 256 hashes of one level, one after the other. A hash at level L is the root of a full tile of level L-1. */
export interface Tile {
  readonly level: number;
  readonly n: number;
  readonly hashes: Uint8Array;
}

/** A Merkle tree as far as appending needs it. */
export interface TreeState {
  readonly size: number;
  /** Roots of the perfect subtrees that make up the tree, largest first: one per set bit of `size`. */
  readonly frontier: readonly Uint8Array[];
  /** Per tile level, the hashes behind the last full tile; fewer than 256 each. */
  readonly partial: readonly (readonly Uint8Array[])[];
}

export const EMPTY_TREE: TreeState = { size: 0, frontier: [], partial: [] };

/** Appends leaves to a tree and cuts full tiles as it grows; starts from a state and leaves that state as it was. */
export class GrowingTree {
  readonly tiles: Tile[] = [];
  size: number;
  private readonly frontier: Uint8Array[];
  private readonly partial: Uint8Array[][];

  constructor(from: TreeState) {
    this.size = from.size;
    this.frontier = [...from.frontier];
    this.partial = from.partial.map((level) => [...level]);
  }

  append(leaf: Uint8Array): void {
    this.size++;
    this.frontier.push(leaf);
    this.collect(0, leaf);
    // One merge per trailing zero bit of the new size; every eighth one completes a tile.
    for (let rest = this.size, height = 1; rest % 2 === 0; rest /= 2, height++) {
      const right = this.frontier.pop()!;
      const left = this.frontier.pop()!;
      const parent = nodeHash(left, right);
      this.frontier.push(parent);
      if (height % TILE_HEIGHT === 0) this.collect(height / TILE_HEIGHT, parent);
    }
  }

  get root(): Uint8Array {
    return rootOf(this.frontier);
  }

  state(): TreeState {
    return { size: this.size, frontier: [...this.frontier], partial: this.partial.map((level) => [...level]) };
  }

  private collect(level: number, hash: Uint8Array): void {
    const hashes = (this.partial[level] ??= []);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    this.tiles.push({ level, n: this.size / TILE_WIDTH ** (level + 1) - 1, hashes: joinHashes(hashes) });
    this.partial[level] = [];
  }
}

/** The root of the tree whose perfect subtrees these are. */
export function rootOf(frontier: readonly Uint8Array[]): Uint8Array {
  if (frontier.length === 0) return EMPTY_ROOT;
  return frontier.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), frontier.at(-1)!);
}

/** The frontier that these partial tiles stand for, so that what is stored twice can be held against each other. */
export function frontierOf(partial: readonly (readonly Uint8Array[])[]): Uint8Array[] {
  const frontier: Uint8Array[] = [];
  for (const hashes of [...partial].reverse()) {
    let at = 0;
    for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
      if (hashes.length - at < width) continue;
      frontier.push(perfectRoot(hashes.slice(at, at + width)));
      at += width;
    }
  }
  return frontier;
}

/** How many hashes stand behind the last full tile of a level. */
export function partialWidth(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** How many full tiles a tree of this size has at a level. */
export function fullTiles(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** (level + 1));
}

/** How many tile levels a tree of this size reaches, partial ones included. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let hashes = size; hashes >= 1; hashes = Math.floor(hashes / TILE_WIDTH)) levels++;
  return levels;
}

/** The root of a full tile: the hash that stands for it one level up. */
export function tileRoot(tile: Uint8Array): Uint8Array {
  return perfectRoot(splitHashes(tile));
}

export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) hashes.push(bytes.subarray(at, at + HASH_BYTES));
  return hashes;
}

export function joinHashes(hashes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, i) => out.set(hash, i * HASH_BYTES));
  return out;
}

function perfectRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i]!, row[2 * i + 1]!));
  return row[0]!;
}
