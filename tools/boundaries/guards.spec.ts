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
  it('finds what each bad example forgets, and nothing in the one that is in order', async () => {
    const { exitCode, found } = await check(routes);
    expect(exitCode).toBe(1);
    expect(found.map((line) => line.replace(/^(\S+:\d+: .{0,55}).*$/, '$1')).toSorted()).toEqual([
      'forgotten.ts:12: ThingsController.create (@Post) says nothing about acce',
      'past-nest.ts:7: a route on Fastify itself passes no Nest guard: say who',
      'past-nest.ts:9: a route on Fastify itself passes no Nest guard: say who',
      'public-without-reason.ts:4: @Public needs a reason in words',
      'public-without-reason.ts:7: ThingsController.list (@Get) says nothing about access:',
      'roles-of-nobody.ts:6: @Roles() names nobody',
      'roles-of-nobody.ts:6: ThingsController.list (@Get) says nothing about access:',
    ]);
  });

  it('finds nothing in this repository', async () => {
    expect(await check()).toEqual({ exitCode: 0, found: [] });
  });
});
