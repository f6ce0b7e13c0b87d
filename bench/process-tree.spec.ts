import { describe, expect, it } from '@jest/globals';
import { cpuBetween, descend, parseStat, partOf } from './process-tree.ts';

const line = (pid: number, parent: number) => ({ pid, parent, name: 'x', ticks: 0 });

describe('parseStat', () => {
  it('counts its own time and that of children it waited for, whatever its name is', () => {
    const text = '4242 (postgres: a) (b) S 17 4242 4242 0 -1 4194304 1 2 3 4 100 20 3000 400 20 0 1 0 999 1 1';
    expect(parseStat(text)).toEqual({ pid: 4242, parent: 17, name: 'postgres: a) (b', ticks: 3520 });
  });
});

describe('descend', () => {
  it('finds the whole tree in any order, and nothing beside it', () => {
    const all = [line(5, 4), line(4, 3), line(3, 1), line(9, 1), line(8, 7), line(7, 1)];
    expect(descend(all, [3, 7]).map(({ pid }) => pid)).toEqual([5, 4, 3, 8, 7]);
  });
});

describe('partOf', () => {
  it.each([
    ['node', 'node\0dist/apps/solo/main.js\0', true, 'main'],
    ['node', 'node\0dist/apps/audit-projector/main.js\0', false, 'audit-projector'],
    ['node', 'node\0dist/apps/solo/projector.js\0', false, 'projector'],
    ['postgres', 'postgres: holdfast_projector audit 127.0.0.1(33412) idle\0', false, 'postgres holdfast_projector'],
    ['postgres', 'postgres: holdfast_app holdfast [local] idle in transaction\0', false, 'postgres holdfast_app'],
    ['postgres', 'postgres: walwriter \0', false, 'postgres background'],
    ['postgres', '/x/bin/postgres\0-D\0data\0', false, 'postgres background'],
  ])('%s %j', (name, commandLine, isMain, part) => {
    expect(partOf({ name, commandLine, isMain })).toBe(part);
  });
});

describe('cpuBetween', () => {
  it('counts a new part whole and never below nothing', () => {
    const part = (cpuUs: number) => ({ cpuUs, memoryKib: 1 });
    const between = cpuBetween(new Map([['main', part(50)], ['gone', part(9)], ['fewer', part(9)]]), new Map([['main', part(80)], ['new', part(7)], ['fewer', part(2)]]));
    expect([...between]).toEqual([['main', 30], ['new', 7], ['fewer', 0]]);
  });
});
