import { describe, expect, it } from '@jest/globals';
import { NOTIFICATIONS } from '#libs/approvals/core';
import type { DeadJob, Jobs, Principal } from '#libs/ports';
import type { ApprovalsDependencies } from './approvals-dependencies.ts';
import { DeadJobsController } from './dead-jobs-controller.ts';

const job = (tenant: string, i: number): DeadJob => ({ key: `${tenant} ${i}`, queue: NOTIFICATIONS, name: 'tell', id: `${tenant} ${i}`, data: { tenant }, attempts: 12, lastError: 'no', failedAtMs: 0 });
const operator = (tenant: string): Principal => ({ tenant, user: 'oscar', client: 'cli', roles: ['operator'], groups: [], key: 'k' });

function controller(dead: readonly DeadJob[]): DeadJobsController {
  const page: Jobs['dead'] = (_, { limit, after }) => {
    const start = after === undefined ? 0 : dead.findIndex(({ key }) => key === after) + 1;
    return Promise.resolve(dead.slice(start, start + limit));
  };
  return new DeadJobsController({ jobs: { dead: page } } as unknown as ApprovalsDependencies);
}

describe('dead jobs of several tenants', () => {
  it('say nothing of each other: neither as items nor as the place where a page goes on', async () => {
    const jobs = controller(Array.from({ length: 300 }, (_, i) => job('other', i)));
    expect(await jobs.dead(operator('acme'), NOTIFICATIONS, { limit: '10' })).toEqual({ items: [], next: null });
  });

  it('are paged over those of the own tenant, each once', async () => {
    const dead = Array.from({ length: 400 }, (_, i) => job(i % 7 === 0 ? 'acme' : 'other', i));
    const jobs = controller(dead);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { items, next } = await jobs.dead(operator('acme'), NOTIFICATIONS, { limit: '10', ...(after === undefined ? {} : { after }) });
      seen.push(...items.map(({ key }) => key));
      expect(next === null || next.startsWith('acme ')).toBe(true);
      after = next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(dead.filter(({ data }) => (data as { tenant: string }).tenant === 'acme').map(({ key }) => key));
  });
});
