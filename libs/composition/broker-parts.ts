import { hkdfSync } from 'node:crypto';
import { CelConditions } from '#libs/adapters/cel';
import { FileSpool } from '#libs/adapters/file-spool';
import { AjvArgumentValidator } from '#libs/adapters/json-schema';
import { AesSessionSealer, McpUpstreams } from '#libs/adapters/mcp';
import { createPool, Listener, openStateDatabase, PostgresApprovalStore, PostgresBrokerLeases, PostgresConfigurationStore, PostgresDelegationStore, PostgresDeliveryStore, PostgresEndedSessions, PostgresIdempotencyStore, PostgresJournal, PostgresKeyStore, PostgresOutbox, PostgresPeers, PostgresReviewLinks, PostgresSlackLinks, PostgresStandingStore } from '#libs/adapters/postgres';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import { ApprovalDesk, Configurations, digestWith, ReviewLinks } from '#libs/approvals/core';
import { base64url, JournalRecorder, sha256 } from '#libs/audit/core';
import { Broker } from '#libs/broker/core';
import type { HoldfastConfig, KeyConfig } from '#libs/contracts';
import { ConsoleSessions, type Log, type ReadinessCheck, resolveSecret, type SecretSources } from '#libs/platform';
import { BrokerControl } from './broker-control.ts';
import { standingConditions } from './standing-conditions.ts';
import { sleep, systemClock, systemIds, timer, yieldTurn } from './system.ts';

export interface BrokerOptions {
  /** Name of the process in the log and at the database. */
  readonly app: string;
  readonly version: string;
  readonly log: Log;
  /** Connection string of the operational database for the application's role. */
  readonly databaseUrl: string;
  readonly spoolDirectory: string;
  readonly masterKey: Uint8Array;
  readonly secrets: SecretSources;
  /** Keys that stand in no file. */
  readonly localKeys: () => readonly KeyConfig[];
  /** A configuration came into force, for whoever else works by it; never throws. */
  readonly onConfiguration?: (config: HoldfastConfig) => void;
  /** This process can serve no more and must end; a start afterwards mends it. */
  readonly onFatal: (reason: string) => void;
}

export type BrokerParts = Awaited<ReturnType<typeof composeBroker>>;

/** Everything one broker is made of, wired; nothing runs on its own yet but the database connections. */
export async function composeBroker(options: BrokerOptions) {
  const { app, version, log, databaseUrl, masterKey } = options;
  const pool = createPool({ url: databaseUrl, application: `holdfast-${app}`, max: 8, statementTimeoutMs: 30_000 });
  const state = await openStateDatabase(databaseUrl, 4);
  const journal = new PostgresJournal(pool, databaseUrl);
  const sealer = new AesSealer(new KeyHierarchy(masterKey, new PostgresKeyStore(pool), () => systemClock.now()));
  const instance = systemIds.uuid();
  const recorder = new JournalRecorder({
    instance,
    journal,
    sealer,
    spool: new FileSpool(options.spoolDirectory, instance),
    clock: systemClock,
    ids: systemIds,
    sleep,
    timer,
    yieldTurn,
    app: { name: app, version },
    onJournal: (to) => log[to === 'down' ? 'error' : 'info']({ journal: to }, to === 'down' ? 'the journal cannot be written; calls are refused' : 'the journal takes events again'),
    onSpoolFailure: (error) => log.error({ err: error }, 'the spool cannot be written: a crash before the journal is back would lose outcomes'),
    onFatal: (error) => options.onFatal(error.message),
  });

  const listener = new Listener(databaseUrl);
  const outbox = new PostgresOutbox(state, listener, sealer, { name: 'approval-service', version });
  const configuration = new PostgresConfigurationStore(state, outbox);
  const conditions = new CelConditions();
  const validator = new AjvArgumentValidator();
  const standing = standingConditions(conditions);
  const desk = {
    store: new PostgresApprovalStore(state, listener, outbox),
    standing: new PostgresStandingStore(state, outbox),
    delegations: new PostgresDelegationStore(state, outbox),
    configurations: new Configurations(configuration),
    outbox,
    sealer,
    clock: systemClock,
    ids: systemIds,
    digestOf: digestWith(sha256, base64url),
    meets: standing.meets,
    standingProblem: standing.problem,
    fits: (hash: string, schema: Readonly<Record<string, unknown>>, args: unknown) => validator.check(hash, schema, args) === null,
  };
  const ended = new PostgresEndedSessions(state);
  const leases = new PostgresBrokerLeases(pool);
  const derived = (purpose: string): AesSessionSealer => new AesSessionSealer(new Uint8Array(hkdfSync('sha256', masterKey, '', purpose, 32)));
  // The broker and its control know each other; nothing asks before both are there.
  const peers = new PostgresPeers({
    pool,
    url: databaseUrl,
    sealer: derived('holdfast-peers'),
    alone: () => control.alone,
    onError: (error) => log.warn({ err: error }, 'the other brokers could not be told'),
  });
  const upstreams = new McpUpstreams({
    clientInfo: { name: 'holdfast', version },
    resolveSecret: (reference) => resolveSecret({ secretRef: reference }, options.secrets),
    // A server may write anything there, also what it was given; nobody gets it who did not ask for it.
    onStderr: (server, line) => log.debug({ tenant: server.tenant, server: server.id, line }, 'an upstream server wrote on its standard error'),
  });
  const broker = new Broker({
    recorder,
    clock: systemClock,
    ids: systemIds,
    sha256,
    conditions,
    approvals: new ApprovalDesk(desk),
    validator,
    freshness: { assertFresh: () => control.assertFresh() },
    upstreams,
    peers,
    sessions: derived('holdfast-session'),
    timer,
    serverInfo: { name: 'holdfast', version },
    onFault: (error, call) => log.error({ err: error, call }, 'a fault of the broker'),
    onUpstreamUnavailable: (server, error) => log.warn({ err: error, tenant: server.tenant, server: server.id }, 'an upstream server does not tell what it offers'),
  });
  const control: BrokerControl = new BrokerControl({
    instance,
    leases,
    configuration,
    clock: systemClock,
    onRevision: (revision) => {
      broker.use(revision.config, revision.revision, options.localKeys());
      options.onConfiguration?.(revision.config);
    },
    onLost: () => options.onFatal('the lease of this broker ran out'),
    onError: (error) => log.warn({ err: error }, 'the state in force cannot be confirmed'),
  });
  const checks: readonly ReadinessCheck[] = [
    { name: 'journal', check: () => Promise.resolve(recorder.healthy ? { ready: true } : { ready: false, reason: 'cannot be written' }) },
    { name: 'state', check: () => Promise.resolve(control.fresh ? { ready: true, data: { revision: broker.revision } } : { ready: false, reason: 'cannot be confirmed' }) },
  ];

  return {
    journal,
    recorder,
    outbox,
    configuration,
    desk,
    deliveries: new PostgresDeliveryStore(state, outbox),
    sessions: new ConsoleSessions({ box: derived('holdfast-console'), authenticator: broker.keys, ended, clock: systemClock }),
    endedSessions: ended,
    reviewLinks: new ReviewLinks({ ...desk, links: new PostgresReviewLinks(state), sha256 }),
    idempotency: new PostgresIdempotencyStore(state),
    slackLinks: new PostgresSlackLinks(state, outbox, () => systemIds.uuid()),
    derived,
    leases,
    broker,
    control,
    checks,
    clock: systemClock,
    ids: systemIds,
    async close(): Promise<void> {
      await upstreams.close();
      await peers.close();
      await listener.close();
      await journal.close();
      await state.destroy();
      await pool.end();
    },
  };
}
