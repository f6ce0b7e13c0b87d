import 'reflect-metadata';
import { createHash, randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AjvArgumentValidator } from '#libs/adapters/json-schema';
import { Broker } from '#libs/broker/core';
import { AuthenticationGate, BrokerModule } from '#libs/broker/nest';
import { HoldfastConfig } from '#libs/contracts';
import { MemoryRecorder, nobodyApproves, specClock, specConditions, specIds, specSha256 } from '#libs/testing';
import { AesSessionSealer } from '../aes-session-sealer.ts';
import { McpUpstreams } from '../mcp-upstreams.ts';

export interface HoldfastEdge {
  readonly port: number;
  readonly token: string;
  /** What failed inside; nothing a client can send may. */
  readonly faults: readonly unknown[];
  close(): Promise<void>;
}

/** Holdfast's real HTTP edge in front of servers (id and URL) with a policy that allows everything; only the log is in memory. */
export async function startHoldfastEdge(servers: Readonly<Record<string, string>>): Promise<HoldfastEdge> {
  const token = `hf_${randomBytes(32).toString('base64url')}`;
  const faults: unknown[] = [];
  const upstreams = new McpUpstreams({ clientInfo: { name: 'holdfast', version: '0' }, resolveSecret: () => '' });
  const recorder = new MemoryRecorder();
  const broker = new Broker({
    recorder,
    clock: specClock,
    ids: specIds,
    sha256: specSha256,
    conditions: specConditions,
    validator: new AjvArgumentValidator(),
    freshness: { assertFresh: () => undefined },
    upstreams,
    sessions: new AesSessionSealer(randomBytes(32)),
    peers: { tell: () => undefined, hear: () => undefined },
    approvals: nobodyApproves,
    timer: () => () => undefined,
    serverInfo: { name: 'holdfast', version: '0' },
    onFault: (error) => faults.push(error),
    onUpstreamUnavailable: (_, error) => faults.push(error),
  });
  broker.use(
    HoldfastConfig.parse({
      apiVersion: 'holdfast/v1',
      tenants: [{ id: 'acme', name: 'Acme' }],
      identity: {
        keys: [{ id: 'agent', tenant: 'acme', user: 'ada', client: 'cli', roles: ['agent'], sha256: createHash('sha256').update(token).digest('hex') }],
      },
      servers: Object.entries(servers).map(([id, url]) => ({ id, tenant: 'acme', transport: { type: 'http', url } })),
      policies: [{ id: 'all', tenant: 'acme', effect: 'allow' }],
    }),
    1,
  );
  class App {}
  const edge = BrokerModule.register({
    useFactory: () => ({
      broker,
      gate: new AuthenticationGate({ authenticator: broker.keys, recorder, clock: specClock, ids: specIds }),
      hosts: [],
      onFault: (error) => faults.push(error),
    }),
  });
  Module({ imports: [edge] })(App);
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter({ forceCloseConnections: true }), { logger: false });
  await app.listen(0, '127.0.0.1');
  return {
    port: (app.getHttpServer().address() as { port: number }).port,
    token,
    faults,
    close: async () => {
      broker.mcp.listening.close();
      await app.close();
      await upstreams.close();
    },
  };
}
