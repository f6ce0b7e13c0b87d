import { expect, it } from '@jest/globals';
import { crashRounds } from './harness/crash-rounds.ts';

it('SIGKILL of the broker under load, 20 times: every answer has its records, every execution its decision', async () => {
  const { answered, executed } = await crashRounds(20, 'broker');
  expect(answered).toBeGreaterThan(100);
  expect(executed).toBeGreaterThanOrEqual(answered);
}, 600_000);
