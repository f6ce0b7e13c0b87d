import { hkdfSync } from 'node:crypto';
import { CelConditions } from '#libs/adapters/cel';
import { FileSpool } from '#libs/adapters/file-spool';
import { AjvArgumentValidator } from '#libs/adapters/json-schema';
import { AesSessionSealer, McpUpstreams } from '#libs/adapters/mcp';
import { createPool, openStateDatabase, PostgresAuditReader, PostgresBrokerLeases, PostgresConfigurationStore, PostgresJournal, PostgresKeyStore, PostgresOpenCalls, PostgresOutbox } from '#libs/adapters/postgres';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import { digestWith } from '#libs/approvals/core';
import { base64url, JournalRecorder, sha256 } from '#libs/audit/core';
import { Broker } from '#libs/broker/core';
import type { HoldfastConfig } from '#libs/contracts';
import { type Log, type ReadinessCheck, resolveSecret, type SecretSources } from '#libs/platform';
import { BrokerControl, LEASE_MS } from '../broker-control.ts';
import { sleep, systemClock, systemIds, timer, yieldTurn } from '../system.ts';
import type { DataDirectory } from './data-directory.ts';
import { makeLocalKeys } from './local-keys.ts';
import type { Databases } from './open-databases.ts';

export interface EmbeddedOptions {
  readonly data: DataDirectory;
  readonly databases: Databases;
  readonly version: string;
  readonly log: Log;
  readonly config: HoldfastConfig;
  readonly secrets: SecretSources;
  /** This process can serve no more and must end; a start afterwards mends it. */
  readonly onFatal: (reason: string) => void;
}

export type Embedded = Awaited<ReturnType<typeof composeEmbedded>>;

/** Everything the embedded process is made of, wired; nothing runs on its own yet but the database connections. */
export async function composeEmbedded(options: EmbeddedOptions) {
  const { data, databases, log, version } = options;
  const pool = createPool({ url: databases.app, application: 'holdfast-solo', max: 8, statementTimeoutMs: 30_000 });
  const state = await openStateDatabase(databases.app, 4);
  const settlerPool = createPool({ url: databases.settler, application: 'holdfast-solo', max: 2, statementTimeoutMs: 30_000 });
  const readerPool = createPool({ url: databases.reader, application: 'holdfast-solo', max: 6 });

  const journal = new PostgresJournal(pool, databases.app);
  const openCalls = new PostgresOpenCalls(settlerPool, journal);
  const sealer = new AesSealer(new KeyHierarchy(data.masterKey, new PostgresKeyStore(pool), () => systemClock.now()));
  const instance = systemIds.uuid();
  const recorder = new JournalRecorder({
    instance,
    journal,
    sealer,
    spool: new FileSpool(data.spool, instance),
    clock: systemClock,
    ids: systemIds,
    sleep,
    timer,
    yieldTurn,
    app: { name: 'solo', version },
    onJournal: (to) => log[to === 'down' ? 'error' : 'info']({ journal: to }, to === 'down' ? 'the journal cannot be written; calls are refused' : 'the journal takes events again'),
    onSpoolFailure: (error) => log.error({ err: error }, 'the spool cannot be written: a crash before the journal is back would lose outcomes'),
    onFatal: (error) => options.onFatal(error.message),
  });

  const outbox = new PostgresOutbox(state, sealer, { name: 'approval-service', version });
  const configuration = new PostgresConfigurationStore(state, outbox);
  const leases = new PostgresBrokerLeases(pool);
  const local = makeLocalKeys(options.config, await configuration.tenants());

  const upstreams = new McpUpstreams({ clientInfo: { name: 'holdfast', version }, resolveSecret: (reference) => resolveSecret({ secretRef: reference }, options.secrets) });
  const broker = new Broker({
    recorder,
    clock: systemClock,
    ids: systemIds,
    sha256,
    conditions: new CelConditions(),
    validator: new AjvArgumentValidator(),
    // The broker and its control know each other; nothing asks before both are there.
    freshness: { assertFresh: () => control.assertFresh() },
    upstreams,
    sessions: new AesSessionSealer(new Uint8Array(hkdfSync('sha256', data.masterKey, '', 'holdfast-session', 32))),
    serverInfo: { name: 'holdfast', version },
    onFault: (error, call) => log.error({ err: error, call }, 'a fault of the broker'),
    onUpstreamUnavailable: (server, error) => log.warn({ err: error, tenant: server.tenant, server: server.id }, 'an upstream server does not tell its tools'),
  });
  const control: BrokerControl = new BrokerControl({
    instance: recorder.instance,
    leases,
    configuration,
    clock: systemClock,
    onRevision: (revision) => broker.use(revision.config, revision.revision, local.keys),
    onLost: () => options.onFatal('the lease of this broker ran out'),
    onError: (error) => log.warn({ err: error }, 'the state in force cannot be confirmed'),
  });

  const checks: readonly ReadinessCheck[] = [
    { name: 'journal', check: () => Promise.resolve(recorder.healthy ? { ready: true } : { ready: false, reason: 'cannot be written' }) },
    { name: 'state', check: () => Promise.resolve(control.fresh ? { ready: true, data: { revision: broker.revision } } : { ready: false, reason: 'cannot be confirmed' }) },
    { name: 'projector', check: async () => ({ ready: true, data: { lag: Number(await openCalls.lag()) } }) },
  ];

  return {
    approvals: { configuration, outbox, journal, leases, openCalls, recorder, clock: systemClock, leaseMs: LEASE_MS, digestOf: digestWith(sha256, base64url) },
    auditReader: new PostgresAuditReader(readerPool),
    broker,
    control,
    recorder,
    checks,
    localTokens: local.tokens,
    clock: systemClock,
    ids: systemIds,
    /** What an earlier process left: its spooled events, and calls that nobody will finish. Before anything new is recorded. */
    async takeOver(): Promise<void> {
      await leases.revokeAll();
      const replayed = await recorder.replayOrphans();
      if (replayed > 0) log.warn({ events: replayed }, 'events that an earlier process could not deliver are in the journal now');
    },
    /** Waits until the projector has everything, so that a stopped installation shows all it did; not for a database that is away. */
    async projected(timeoutMs: number): Promise<void> {
      const until = systemClock.monotonicUs() + timeoutMs * 1000;
      while (systemClock.monotonicUs() < until && (await openCalls.lag().catch(() => 0n)) > 0n) await sleep(20);
    },
    async close(): Promise<void> {
      await upstreams.close();
      await journal.close();
      await state.destroy();
      await Promise.all([pool.end(), settlerPool.end(), readerPool.end()]);
    },
  };
}
