import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** tools/check-guards.mjs, tried on controllers that forget to say who may use a route. */
const root = join(import.meta.dirname, '..', '..');
const routes = join(import.meta.dirname, 'bad-examples', 'routes');

function check(...paths: string[]): Promise<{ exitCode: number; found: string[] }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(root, 'tools', 'check-guards.mjs'), ...paths], { cwd: routes }, (error, _output, problems) => {
      const exitCode = error ? error.code : 0;
      if (typeof exitCode !== 'number' || exitCode > 1) reject(new Error(problems));
      else resolve({ exitCode, found: problems.split('\n').filter((line) => line !== '') });
    });
  });
}

describe('check-guards', () => {
  it.each([
    ['forgotten.ts', [/^forgotten\.ts:12: ThingsController\.create \(@Post\) says nothing about access/]],
    ['public-without-reason.ts', [/:4: @Public needs a reason/, /:7: ThingsController\.list \(@Get\) says nothing/]],
    ['roles-of-nobody.ts', [/:6: @Roles\(\) names nobody/, /:6: ThingsController\.list \(@Get\) says nothing/]],
    ['past-nest.ts', [/:7: a route on Fastify itself/, /:9: a route on Fastify itself/]],
  ])('finds what %s forgets', async (file, expected) => {
    const { exitCode, found } = await check(join(routes, file));
    expect(exitCode).toBe(1);
    expect(found).toHaveLength(expected.length);
    expected.forEach((message, index) => expect(found[index]).toMatch(message));
  });

  it('is silent about routes in order, and about this repository', async () => {
    expect(await check(join(routes, 'in-order.ts'))).toEqual({ exitCode: 0, found: [] });
    expect(await check()).toEqual({ exitCode: 0, found: [] });
  });
});
