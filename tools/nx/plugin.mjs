// The Nx plugin of this repository: every lib and app is a project because of where it lies (tools/nx/projects.mjs).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DependencyType } from '@nx/devkit';
import { importedPaths, projectOf, rootHolding } from './projects.mjs';

export const name = 'holdfast';

export const createNodes = [
  '{libs/**/index.ts,apps/*/main.ts,bench/run.ts}',
  (entries) =>
    entries.map((entry) => {
      const found = projectOf(entry);
      return [entry, found ? { projects: { [found.root]: found } } : {}];
    }),
];

/** Nx does not read the subpath imports of package.json, so the edges of the graph are told here. */
export const createDependencies = (_options, context) => {
  const nameOf = new Map(Object.entries(context.projects).map(([project, { root }]) => [root, project]));
  const roots = [...nameOf.keys()];
  const edges = [];
  for (const [source, files] of Object.entries(context.filesToProcess.projectFileMap)) {
    for (const { file } of files) {
      if (!file.endsWith('.ts')) continue;
      for (const path of importedPaths(file, readFileSync(join(context.workspaceRoot, file), 'utf8'))) {
        const target = nameOf.get(rootHolding(path, roots));
        if (target !== undefined && target !== source) edges.push({ source, target, sourceFile: file, type: DependencyType.static });
      }
    }
  }
  return edges;
};
