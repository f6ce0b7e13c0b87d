import { expect, it } from '@jest/globals';
import { crashRounds } from './harness/crash-rounds.ts';

it('SIGKILL of everything under load, database included, 20 times: nothing acknowledged is lost', async () => {
  const { answered, executed } = await crashRounds(20, 'tree');
  expect(answered).toBeGreaterThan(100);
  expect(executed).toBeGreaterThanOrEqual(answered);
}, 600_000);
