import { describe, expect, it } from '@jest/globals';
import { EMPTY_TREE, frontierOf, fullTiles, GrowingTree, joinHashes, partialWidth, rootOf, TILE_WIDTH, tileLevels, tileRoot } from './growing-tree.ts';
import { chainHash, CHAIN_START, EMPTY_ROOT, leafHash, nodeHash } from './hashes.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const leafOf = (i: number): Uint8Array => leafHash(Buffer.from(`leaf ${i}`));
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => leafOf(i));

/** The definition of RFC 6962 §2.1, as slow as it is written. */
function rootByDefinition(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return EMPTY_ROOT;
  if (hashes.length === 1) return hashes[0]!;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(rootByDefinition(hashes.slice(0, split)), rootByDefinition(hashes.slice(split)));
}

function grow(count: number, from = new GrowingTree(EMPTY_TREE)): GrowingTree {
  for (let i = from.size; i < count; i++) from.append(leafOf(i));
  return from;
}

describe('hashes of RFC 6962', () => {
  // The test vectors that Certificate Transparency implementations share.
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  it.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('root of the first %i known entries', (size, root) => {
    const tree = new GrowingTree(EMPTY_TREE);
    for (const input of inputs.slice(0, size)) tree.append(leafHash(Buffer.from(input, 'hex')));
    expect(hex(tree.root)).toBe(root);
  });

  it('chains with a domain of its own', () => {
    expect(hex(chainHash(CHAIN_START, leafOf(0)))).not.toBe(hex(nodeHash(CHAIN_START, leafOf(0))));
    expect(hex(chainHash(CHAIN_START, leafOf(0)))).not.toBe(hex(chainHash(leafOf(0), CHAIN_START)));
  });

  it('keeps no bytes of a longer entry before', () => {
    const short = hex(leafHash(Buffer.from('a')));
    leafHash(Buffer.alloc(1000, 7));
    expect(hex(leafHash(Buffer.from('a')))).toBe(short);
  });
});

describe('GrowingTree', () => {
  it('has the root of the definition at every size, whatever pieces it is grown in', () => {
    const all = leaves(300);
    for (const size of [1, 2, 3, 127, 128, 129, 255, 256, 257, 300]) {
      const piecewise = grow(size, new GrowingTree(grow(Math.floor(size / 3)).state()));
      expect(hex(grow(size).root)).toBe(hex(rootByDefinition(all.slice(0, size))));
      expect(hex(piecewise.root)).toBe(hex(grow(size).root));
      expect(piecewise.state()).toEqual(grow(size).state());
    }
  });

  it('cuts each tile once, when it is full, and its root is a hash one level up', () => {
    const size = TILE_WIDTH * TILE_WIDTH + 300;
    const tree = grow(size);
    const level0 = tree.tiles.filter((tile) => tile.level === 0);
    expect(level0.map((tile) => tile.n)).toEqual(Array.from({ length: 257 }, (_, n) => n));
    expect(hex(level0[1]!.hashes)).toBe(hex(joinHashes(Array.from({ length: TILE_WIDTH }, (_, i) => leafOf(TILE_WIDTH + i)))));
    const level1 = tree.tiles.filter((tile) => tile.level === 1);
    expect(level1.map((tile) => tile.n)).toEqual([0]);
    expect(hex(level1[0]!.hashes)).toBe(hex(joinHashes(level0.slice(0, 256).map((tile) => tileRoot(tile.hashes)))));
    expect(tree.state().partial.map((level) => level.length)).toEqual([44, 1, 1]);
    expect([0, 1, 2].map((level) => partialWidth(size, level))).toEqual([44, 1, 1]);
    expect([0, 1, 2].map((level) => fullTiles(size, level))).toEqual([257, 1, 0]);
    expect(tileLevels(size)).toBe(3);
    expect(hex(joinHashes(frontierOf(tree.state().partial)))).toBe(hex(joinHashes(tree.state().frontier)));
  });

  it('leaves the state it starts from as it was', () => {
    const state = grow(255).state();
    const before = structuredClone(state);
    grow(300, new GrowingTree(state));
    expect(state).toEqual(before);
  });

  it('notices partial tiles that are not those of the frontier', () => {
    const state = grow(300).state();
    const forged = state.partial.map((level, i) => (i === 0 ? level.with(3, leafOf(9999)) : level));
    expect(hex(rootOf(frontierOf(forged)))).not.toBe(hex(rootOf(state.frontier)));
  });
});
