// Which folders are projects, and what they are: read off the path, so no library carries a configuration file of its own.
import { posix } from 'node:path';

/** What one entry file makes of its folder; undefined when the path is no entry of a project. */
export function projectOf(entry) {
  const parts = entry.split('/');
  const root = parts.slice(0, -1).join('/');
  const file = parts.at(-1);
  if (entry === 'bench/run.ts') return project('bench', root, 'bench', undefined);
  if (parts[0] === 'apps' && parts.length === 3 && file === 'main.ts') return project(parts[1], root, 'app', undefined);
  if (parts[0] !== 'libs' || file !== 'index.ts') return undefined;
  if (parts.length === 3) return project(parts[1], root, parts[1], undefined);
  if (parts.length !== 4) return undefined;
  const [, group, name] = parts;
  if (group === 'adapters') return project(`adapters-${name}`, root, 'adapter', undefined);
  // Anything else one level down is a slice: libs/<slice>/core and libs/<slice>/nest.
  if (name === 'core' || name === 'nest') return project(`${group}-${name}`, root, name, group);
  return undefined;
}

const IMPORT = /(?:from|import)\s*\(?\s*'((?:#libs\/|\.\.\/)[^']+)'/g;

/** The repository paths that a file imports beyond its own folder: `#libs/<lib>` and relative paths that go up. */
export function importedPaths(file, text) {
  return [...text.matchAll(IMPORT)].map(([, specifier]) => (specifier.startsWith('#') ? specifier.slice(1) : posix.join(posix.dirname(file), specifier)));
}

/** The root of the project that holds a path, out of the known roots. */
export function rootHolding(path, roots) {
  return roots.find((root) => path === root || path.startsWith(`${root}/`));
}

function project(name, root, layer, slice) {
  const tags = [`layer:${layer}`, ...(slice ? [`slice:${slice}`] : [])];
  const inputs = ['default', '^default'];
  return {
    name,
    root,
    projectType: layer === 'app' ? 'application' : 'library',
    tags,
    targets: {
      test: {
        // One jest run over everything is what `npm test` does and is faster; this one is for `affected`.
        command: `node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js --passWithNoTests -- ${root}/`,
        cache: true,
        inputs,
      },
      lint: { command: `node node_modules/oxlint/bin/oxlint --type-aware ${root}`, cache: true, inputs },
    },
  };
}
