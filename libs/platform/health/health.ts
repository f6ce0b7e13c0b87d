import { Controller, Get, Inject, Res } from '@nestjs/common';
import { Public } from '../auth/access.ts';

/** One thing a process needs in order to serve. `data` is shown as it is. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<{ readonly ready: boolean; readonly reason?: string; readonly data?: Readonly<Record<string, unknown>> }>;
}
export const ReadinessChecks = Symbol('ReadinessChecks');

interface Reply {
  status(code: number): Reply;
}

const CHECK_TIMEOUT_MS = 2_000;

/** `/healthz`: the process lives. `/readyz`: it can serve, with a reason for everything that keeps it from it. */
@Controller()
@Public('orchestrators ask without credentials; the answers name no tenant')
export class HealthController {
  constructor(@Inject(ReadinessChecks) private readonly checks: readonly ReadinessCheck[]) {}

  @Get('healthz')
  alive(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<Record<string, unknown>> {
    const results = await Promise.all(this.checks.map(async (check) => [check.name, await bounded(check)] as const));
    const ready = results.every(([, result]) => result.ready);
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready', ...Object.fromEntries(results.map(([name, { data, ...rest }]) => [name, { ...rest, ...data }])) };
  }
}

async function bounded(check: ReadinessCheck): ReturnType<ReadinessCheck['check']> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ ready: false; reason: string }>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, reason: 'does not answer' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check.check(), late]);
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
