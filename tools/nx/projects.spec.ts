import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { importedPaths, projectOf, rootHolding } from './projects.mjs';

const root = join(import.meta.dirname, '..', '..');

describe('projectOf', () => {
  it.each([
    ['libs/contracts/index.ts', 'contracts', 'libs/contracts', ['layer:contracts']],
    ['libs/platform/index.ts', 'platform', 'libs/platform', ['layer:platform']],
    ['libs/broker/core/index.ts', 'broker-core', 'libs/broker/core', ['layer:core', 'slice:broker']],
    ['libs/audit/nest/index.ts', 'audit-nest', 'libs/audit/nest', ['layer:nest', 'slice:audit']],
    ['libs/adapters/postgres/index.ts', 'adapters-postgres', 'libs/adapters/postgres', ['layer:adapter']],
    ['apps/solo/main.ts', 'solo', 'apps/solo', ['layer:app']],
    ['bench/run.ts', 'bench', 'bench', ['layer:bench']],
  ])('%s is %s', (entry, name, folder, tags) => {
    const project = projectOf(entry);
    expect(project).toMatchObject({ name, root: folder, tags });
    expect(project?.targets.test.command).toContain(`-- ${folder}/`);
    expect(project?.targets.lint.command).toContain(` ${folder}`);
  });

  it.each(['libs/contracts/events/index.ts', 'libs/adapters/postgres/state/index.ts', 'libs/index.ts', 'apps/solo/parts/main.ts', 'apps/main.ts', 'libs/contracts/errors.ts', 'tools/index.ts'])(
    '%s is no project',
    (entry) => {
      expect(projectOf(entry)).toBeUndefined();
    },
  );
});

describe('importedPaths', () => {
  it('reads every form of import that leaves the folder, and nothing else', () => {
    const text = [
      "import { a } from '#libs/contracts';",
      "import type { B } from '#libs/broker/core';",
      "export { c } from '../pool.ts';",
      "const d = await import('../../testing/suite.ts');",
      "import { e } from './beside.ts';",
      "import { f } from 'pg';",
    ].join('\n');
    expect(importedPaths('libs/adapters/postgres/state/file.ts', text)).toEqual(['libs/contracts', 'libs/broker/core', 'libs/adapters/postgres/pool.ts', 'libs/adapters/testing/suite.ts']);
  });

  it('belong to the project whose root holds them', () => {
    const roots = ['libs/broker/core', 'libs/contracts'];
    expect(rootHolding('libs/contracts', roots)).toBe('libs/contracts');
    expect(rootHolding('libs/broker/core/call/x.ts', roots)).toBe('libs/broker/core');
    expect(rootHolding('libs/contracts-too/x.ts', roots)).toBeUndefined();
  });
});

describe('nx', () => {
  it('sees the projects of this repository', async () => {
    const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
    const { stdout } = await promisify(execFile)(process.execPath, [nx, 'show', 'projects', '--json'], { cwd: root, env: { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_NO_CLOUD: 'true' } });
    expect(JSON.parse(stdout)).toEqual(expect.arrayContaining(['contracts', 'ports', 'platform', 'audit-core', 'adapters-postgres']));
  }, 60_000);
});
