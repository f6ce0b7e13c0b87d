import { createPool, PostgresAuditReader, PostgresOpenCalls } from '#libs/adapters/postgres';
import { DelegationDesk, digestWith, PeopleDesk, StandingDesk, Sweep } from '#libs/approvals/core';
import { base64url, sha256 } from '#libs/audit/core';
import type { HoldfastConfig } from '#libs/contracts';
import type { Log, ReadinessCheck, SecretSources } from '#libs/platform';
import { LEASE_MS } from '../broker-control.ts';
import { composeBroker } from '../broker-parts.ts';
import { composeNotifications } from '../notifications.ts';
import { composeSlack } from '../slack.ts';
import { sleep, systemClock } from '../system.ts';
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
  /** Where this process is reached. */
  readonly url: () => string;
  /** This process can serve no more and must end; a start afterwards mends it. */
  readonly onFatal: (reason: string) => void;
}

export type Embedded = Awaited<ReturnType<typeof composeEmbedded>>;

/** Everything the embedded process is made of, wired: a broker, and what the approval service and the audit API need beside it. */
export async function composeEmbedded(options: EmbeddedOptions) {
  const { data, databases, log, version } = options;
  const parts = await composeBroker({
    app: 'solo',
    version,
    log,
    databaseUrl: databases.app,
    spoolDirectory: data.spool,
    masterKey: data.masterKey,
    secrets: options.secrets,
    localKeys: () => local.keys,
    onConfiguration: (inForce) => slack.use(inForce),
    onFatal: options.onFatal,
  });
  const { broker, clock, configuration, journal, leases, outbox, recorder } = parts;
  const settlerPool = createPool({ url: databases.settler, application: 'holdfast-solo', max: 2, statementTimeoutMs: 30_000 });
  const readerPool = createPool({ url: databases.reader, application: 'holdfast-solo', max: 6 });
  const openCalls = new PostgresOpenCalls(settlerPool, journal);
  const notifications = composeNotifications({ ...options, databaseUrl: databases.app, reviewLinks: parts.reviewLinks, desk: { ...parts.desk, deliveries: parts.deliveries }, others: () => [slack.channel] });
  const local = makeLocalKeys(options.config, await configuration.tenants());
  const lag: ReadinessCheck = { name: 'projector', check: async () => ({ ready: true, data: { lag: Number(await openCalls.lag()) } }) };
  const people = new PeopleDesk(parts.desk);
  const digestOf = digestWith(sha256, base64url);
  const slack = composeSlack({ log, people, jobs: notifications.jobs, links: parts.slackLinks, sealer: parts.derived('holdfast-slack'), secrets: options.secrets, clock, ids: parts.ids, digestOf, publicUrl: () => options.config.notify.publicUrl ?? options.url() });

  return {
    approvals: {
      people,
      standing: new StandingDesk(parts.desk),
      delegations: new DelegationDesk(parts.desk),
      store: parts.desk.store,
      reviewLinks: parts.reviewLinks,
      idempotency: parts.idempotency,
      sessions: parts.sessions,
      endedSessions: parts.endedSessions,
      sweep: new Sweep({ ...parts.desk, leases, openCalls }),
      jobs: notifications.jobs,
      notifier: notifications.notifier,
      configuration,
      outbox,
      journal,
      leases,
      openCalls,
      recorder,
      deliver: (lost: string) => recorder.replayOrphans(lost),
      clock,
      leaseMs: LEASE_MS,
      digestOf,
      slack: slack.edge,
    },
    slack,
    auditReader: new PostgresAuditReader(readerPool),
    broker,
    control: parts.control,
    recorder,
    checks: [...parts.checks, lag],
    localTokens: local.tokens,
    clock,
    ids: parts.ids,
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
      await slack.close();
      notifications.close();
      await notifications.jobs.close();
      await parts.close();
      await Promise.all([settlerPool.end(), readerPool.end()]);
    },
  };
}
