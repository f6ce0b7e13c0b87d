import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('docs/dependencies.md', () => {
  it('has one line, with a reason, for each dependency and no other', () => {
    const packages = JSON.parse(read('package.json')) as Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Record<string, string>>;
    const sections = read('docs/dependencies.md').split(/^## /m).slice(1);
    const listed = sections.map((section) => [...section.matchAll(/^\| `([^`]+)` \| (.+?) \| .+ \|$/gm)].map(([, name, reason]) => ({ name: name!, reason: reason! })));
    const names = listed.map((section) => section.map(({ name }) => name));
    expect(names).toEqual([packages.dependencies, packages.optionalDependencies, packages.devDependencies].map((group) => Object.keys(group).toSorted()));
    expect(listed.flat().filter(({ reason }) => reason.length < 8)).toEqual([]);
  });
});
