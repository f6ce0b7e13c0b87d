import { fullTiles, tileLevels } from '../tree/growing-tree.ts';
import type { LogReading } from './log-reading.ts';

interface Level {
  readonly pages: AsyncIterator<readonly { readonly n: number; readonly hashes: Uint8Array }[]>;
  page: readonly { readonly n: number; readonly hashes: Uint8Array }[];
  at: number;
}

/** Reads the tiles of each level in step with a growing tree: asked for in order, one page of each level in memory. */
export class TileReader {
  private readonly levels = new Map<number, Level>();

  constructor(private readonly log: LogReading) {}

  /** The stored tile, or null when there is none with this number. Numbers of a level are asked for in rising order. */
  async next(level: number, n: number): Promise<Uint8Array | null> {
    const reading = this.level(level, n);
    for (let tile = await peek(reading); tile && tile.n <= n; tile = await peek(reading)) {
      reading.at++;
      if (tile.n === n) return tile.hashes;
    }
    return null;
  }

  /** A sentence about tiles that a log of this size cannot have, if there are any. To be asked last. */
  async surplus(size: number): Promise<string | null> {
    const levels = tileLevels(size);
    for (let level = 0; level < levels; level++) {
      const tile = await peek(this.level(level, fullTiles(size, level)));
      if (tile) return `tile ${level}/${tile.n} stands for entries that the log does not have`;
    }
    const outside = await this.log.tilesOutside(levels - 1);
    return outside > 0 ? `${outside} tiles stand where the log does not reach` : null;
  }

  private level(level: number, from: number): Level {
    let reading = this.levels.get(level);
    if (!reading) this.levels.set(level, (reading = { pages: this.log.tiles(level, from)[Symbol.asyncIterator](), page: [], at: 0 }));
    return reading;
  }
}

async function peek(level: Level): Promise<{ readonly n: number; readonly hashes: Uint8Array } | undefined> {
  while (level.at >= level.page.length) {
    const next = await level.pages.next();
    if (next.done) return undefined;
    level.page = next.value;
    level.at = 0;
  }
  return level.page[level.at];
}
