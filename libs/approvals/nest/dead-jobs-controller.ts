import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { NOTIFICATIONS, WAKE_UPS } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { CurrentPrincipal, parse, Roles } from '#libs/platform';
import { type DeadJob, jobBounds, type Jobs, type Principal } from '#libs/ports';
import { ApprovalsDependencies } from './approvals-dependencies.ts';

const QUEUES: ReadonlySet<string> = new Set([NOTIFICATIONS, WAKE_UPS]);
const Paging = z.strictObject({ limit: z.coerce.number().int().min(1).max(jobBounds.deadPage).default(50), after: z.string().max(200).optional() });

/** Jobs that failed for good: what people were not told, and why. For the operators of the tenant that it was about. */
@Controller('api/v1/jobs')
@Roles('operator')
export class DeadJobsController {
  private readonly jobs: Jobs;

  constructor(@Inject(ApprovalsDependencies) deps: ApprovalsDependencies) {
    this.jobs = deps.jobs;
  }

  @Get(':queue/dead')
  async dead(@CurrentPrincipal() principal: Principal, @Param('queue') queue: string, @Query() query: unknown): Promise<{ readonly items: readonly DeadJob[]; readonly next: string | null }> {
    this.check(queue);
    const { limit, after } = parse(Paging, query);
    const items: DeadJob[] = [];
    // One more than wanted says whether there are more. The place is a job of this tenant: those of others do not show.
    for await (const job of this.all(queue, after)) {
      if (!isOf(principal, job)) continue;
      if (items.length === limit) return { items, next: items.at(-1)!.key };
      items.push(job);
    }
    return { items, next: null };
  }

  /** Tries one again, with all its attempts. */
  @Post(':queue/dead/:key/retry')
  @HttpCode(200)
  async retry(@CurrentPrincipal() principal: Principal, @Param('queue') queue: string, @Param('key') key: string): Promise<{ readonly retried: true }> {
    this.check(queue);
    const known = await this.find(queue, key);
    if (!known || !isOf(principal, known) || !(await this.jobs.retryDead(queue, key))) throw new Refusal('not_found', 'there is no such job');
    return { retried: true };
  }

  private async find(queue: string, key: string): Promise<DeadJob | undefined> {
    for await (const job of this.all(queue)) if (job.key === key) return job;
    return undefined;
  }

  private async *all(queue: string, from?: string): AsyncGenerator<DeadJob> {
    for (let after = from, seen = 0; seen < jobBounds.dead; seen += jobBounds.deadPage) {
      const page = await this.jobs.dead(queue, { limit: jobBounds.deadPage, ...(after === undefined ? {} : { after }) });
      yield* page;
      if (page.length < jobBounds.deadPage) return;
      after = page.at(-1)!.key;
    }
  }

  private check(queue: string): void {
    if (!QUEUES.has(queue)) throw new Refusal('not_found', `there is no such queue; there are ${[...QUEUES].join(', ')}`);
  }
}

function isOf({ tenant }: Principal, { data }: DeadJob): boolean {
  return (data as { readonly tenant?: unknown }).tenant === tenant;
}
