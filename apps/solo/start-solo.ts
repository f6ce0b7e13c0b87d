import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandBus } from '@nestjs/cqrs';
import { ApplyConfiguration, LiveStreams } from '#libs/approvals/nest';
import { composeEmbedded, FLUSH_MS, openDatabases, openDataDirectory, openDemo, removeRunning, stopBroker, writeRunning } from '#libs/composition';
import { createHttpApp, createLog, describeProblems, drainHttp, endStart, endWith, listen, loadConfigFile, type Log, ownNames, readSettings, urlOf, VERSION } from '#libs/platform';
import { banner } from './banner.ts';
import { Child } from './child.ts';
import { SoloModule } from './solo-module.ts';

/** A stop that is not done by then ends where it stands, as a crash would; the next start mends it. */
const STOP_MS = 9_500;

/** A signal asked to stop before the start was done. */
class Interrupted extends Error {}

interface Arguments {
  readonly demo: boolean;
}

/** Starts everything on one port and keeps it running until a signal; ends the process with a sentence when it cannot. */
export async function startSolo(words: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(env);
  const { demo: wantsDemo } = readArguments(words);
  const log = createLog({ level: settings.logLevel, app: 'solo' });
  const undo: (() => Promise<unknown>)[] = [];
  const undoAll = async (): Promise<void> => {
    // One that fails must not keep the others from being done: the database server is the last of them.
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => log.error({ err: error }, 'a part did not end in order'));
  };
  // A signal that comes during the start is obeyed as soon as what is under way can be undone.
  let onSignal = (): void => {
    interrupted = true;
  };
  let interrupted = false;
  const unlessInterrupted = (): void => {
    if (interrupted) throw new Interrupted();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => onSignal());
  try {
    if (settings.mode !== 'embedded') return endWith(78, `HOLDFAST_MODE=${settings.mode} is not part of this version; leave it out for embedded [mode_not_available]`);
    if (settings.configFile === undefined && !wantsDemo) return endWith(78, '--no-demo needs a configuration: set HOLDFAST_CONFIG to a holdfast.yaml [config_invalid]');
    const own = settings.configFile === undefined ? undefined : readConfig(settings.configFile);
    // For people who wait for a first start; everything later is a line of the structured log.
    const progress = (sentence: string): void => void (log.isLevelEnabled('info') && process.stderr.write(`holdfast: ${sentence}\n`));

    let url = urlOf(settings.host, settings.port);
    const data = openDataDirectory(settings.dataDirectory, settings.masterKeyFile);
    const databases = await openDatabases({ data, progress, ...externalDatabases(settings) });
    undo.push(() => databases.close());
    unlessInterrupted();
    const demo = own ? undefined : await openDemo(data.path, freePort);
    const config = own ?? demo!.config;

    const parts = await composeEmbedded({ data, databases, version: VERSION, log, config, secrets: { env, directory: dirname(resolve(settings.configFile ?? 'holdfast.yaml')) }, url: () => url, onFatal: (reason) => endWith(70, `${reason}; start again`) });
    undo.push(() => parts.close());
    parts.broker.check(config);
    if (own) sayWhatIsMissing(own, log);
    await parts.takeOver();
    unlessInterrupted();
    const projector = child('audit-projector', log, { DATABASE_URL: databases.follower, AUDIT_DATABASE_URL: databases.projector, LOG_LEVEL: settings.logLevel });
    projector.start();
    undo.push(() => projector.stop(2_000));
    const upstream = demo && child('demo-upstream', log, { DEMO_PORT: String(demo.upstreamPort) });
    if (upstream) undo.push(() => upstream.stop(500));

    const upstreamReady = upstream?.startAndWait(10_000);
    const app = await createHttpApp({ module: SoloModule.register({ parts, log, hosts: ownNames(settings.host) }), log });
    undo.push(() => app.close());
    await app.init();
    await app.get(CommandBus).execute(new ApplyConfiguration(config, 'start'));
    await parts.control.start();
    undo.push(() => parts.control.stop());
    await upstreamReady;
    unlessInterrupted();
    const port = await listen(app, settings.host, settings.port);
    url = urlOf(settings.host, port);
    parts.slack.start();
    writeRunning(data.path, { pid: process.pid, url, tokens: parts.localTokens });

    let stopping = false;
    const stop = async (code: number): Promise<void> => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => endWith(70, 'stopping took too long; what is open is settled at the next start'), STOP_MS);
      log.info('stopping');
      removeRunning(data.path);
      const left = await stopBroker(parts, { drain: (ms) => drain(app, ms), close: () => app.close() });
      if (left === 'lost') log.fatal('neither the journal nor the spool could be written: outcomes of calls are lost, and will be recorded as unknown');
      await parts.projected(FLUSH_MS);
      await undoAll();
      process.exit(code);
    };
    onSignal = () => void stop(0).catch(endStart);
    databases.lost
      .then(() => {
        if (!stopping) log.fatal('the database server is gone: stopping in order; start again');
        return stop(70);
      })
      .catch(endStart);
    if (interrupted) return onSignal();
    process.stdout.write(banner({ url, data: data.path, ...(demo ? { demo: demo.tokens } : {}) }));
  } catch (error) {
    await undoAll();
    if (error instanceof Interrupted) process.exit(0);
    endStart(error);
  }
}

/** Streams never end by themselves, so they are ended before anybody waits for connections. */
function drain(app: Awaited<ReturnType<typeof createHttpApp>>, ms: number): Promise<void> {
  app.get(LiveStreams).close();
  return drainHttp(app, ms);
}

function readArguments(words: readonly string[]): Arguments {
  const unknown = words.filter((word) => word !== '--no-demo');
  if (unknown.length > 0) endWith(2, `unknown argument ${unknown[0]}; there is --no-demo`);
  return { demo: !words.includes('--no-demo') };
}

function readConfig(file: string) {
  const loaded = loadConfigFile(file);
  if (loaded.ok) return loaded.config;
  return endWith(78, [`the configuration is not valid [config_invalid]`, ...describeProblems(file, loaded.problems)].join('\n'));
}

function externalDatabases(settings: { readonly databaseUrl: string | undefined; readonly auditDatabaseUrl: string | undefined }) {
  const { databaseUrl: operational, auditDatabaseUrl: audit } = settings;
  if (operational === undefined && audit === undefined) return {};
  if (operational === undefined || audit === undefined) return endWith(78, 'DATABASE_URL and AUDIT_DATABASE_URL go together: both or none [environment_invalid]');
  return { external: { operational, audit } };
}

function child(name: string, log: Log, env: Readonly<Record<string, string>>): Child {
  // Beside this app, as source or as build, whichever this is.
  const own = fileURLToPath(import.meta.url);
  const main = join(dirname(own), '..', name, `main${own.endsWith('.ts') ? '.ts' : '.js'}`);
  return new Child({ name, main, log, env: { PATH: process.env['PATH'], ...env } });
}

/** Parts of the configuration that this version knows and cannot do yet are said at start, not only when they are needed. */
function sayWhatIsMissing(config: ReturnType<typeof readConfig>, log: Log): void {
  for (const { tenant, id, transport, trust } of config.servers) {
    if (transport.type === 'openapi') log.warn({ tenant, server: id }, `transport ${transport.type} is not part of this version: calls of this server are refused`);
    if (trust === 'review') log.warn({ tenant, server: id }, 'trust: review needs people who review tools, which is not part of this version: this server offers no tools');
  }
}

/** The preferred port when it is free, else another one. */
function freePort(preferred: number): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (preferred === 0) reject(error);
      else void freePort(0).then(done, reject);
    });
    probe.listen(preferred, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
