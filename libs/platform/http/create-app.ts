import helmet from '@fastify/helmet';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { errorCatalogue, Refusal } from '#libs/contracts';
import type { Log } from '../logging/log.ts';
import { nestLog } from '../logging/nest-log.ts';
import { refuseBadPath } from './problem-filter.ts';
import { readJsonBody } from './json-body.ts';

/** Largest request body anywhere in the product. */
export const MAX_BODY_BYTES = 4 << 20;

export interface HttpAppOptions {
  readonly module: DynamicModule;
  readonly log: Log;
}

/** The HTTP side of a process: Nest on Fastify, with safe headers and errors that have a code even when they come from the framework. */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: MAX_BODY_BYTES, routerOptions: { maxParamLength: 300 }, keepAliveTimeout: 75_000, requestTimeout: 0, frameworkErrors: refuseBadPath as never });
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, { logger: nestLog(options.log), abortOnError: false, bufferLogs: false });
  app.useBodyParser('application/json', { bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
    try {
      done(null, readJsonBody(body));
    } catch (error) {
      done(error as Error);
    }
  });
  await app.register(helmet as never, { contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } } } as never);
  return app;
}

/** Listens, and says in one sentence when it cannot. */
export async function listen(app: NestFastifyApplication, host: string, port: number): Promise<number> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new Refusal('port_taken', `port ${port} on ${host} is in use; set HOLDFAST_PORT to another one`);
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') throw new Refusal('port_taken', `cannot listen on ${host}:${port} (${code})`);
    throw error;
  }
  const address = app.getHttpServer().address() as { port: number };
  return address.port;
}

/**
 * Stops taking connections and waits for requests under way; idle keep-alive connections are closed again and again, because
 * clients hold them open for ever.
 */
export async function drainHttp(app: NestFastifyApplication, deadlineMs: number): Promise<void> {
  const server = app.getHttpServer() as import('node:http').Server;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([closed, deadline]);
  clearInterval(idle);
  clearTimeout(timer);
  server.closeAllConnections();
}

/** The sentence of a refusal for people, with its code. */
export function sentenceOf(refusal: Refusal): string {
  return `${refusal.detail ?? errorCatalogue[refusal.code].sentence} [${refusal.code}]`;
}
