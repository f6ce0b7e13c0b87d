import { dirname, resolve } from 'node:path';
import { composeBroker, joinInstallation, stopBroker } from '#libs/composition';
import { createHttpApp, createLog, drainHttp, endStart, endWith, listen, ownNames, readSettings, urlOf, VERSION } from '#libs/platform';
import { BrokerAppModule } from './broker-app-module.ts';

/** A stop that is not done by then ends where it stands, as a crash would. */
const STOP_MS = 9_500;
/** An installation that cannot be reached for this long is gone, or lives somewhere else now. */
const GONE_MS = 15_000;

/**
 * A broker beside the one of `npm start`, on the same data directory and a port of its own: any of them serves any client. Runs until
 * a signal, or until the installation is gone.
 */
export async function startBroker(env: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(env);
  const log = createLog({ level: settings.logLevel, app: 'broker' });
  let onSignal = (): void => process.exit(0);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => onSignal());
  try {
    const joined = joinInstallation(settings.dataDirectory, settings.masterKeyFile, settings.databaseUrl);
    const parts = await composeBroker({
      app: 'broker',
      version: VERSION,
      log,
      ...joined,
      secrets: { env, directory: dirname(resolve(settings.configFile ?? 'holdfast.yaml')) },
      localKeys: () => [],
      onFatal: (reason) => endWith(70, `${reason}; start again`),
    });
    const app = await createHttpApp({ module: BrokerAppModule.register({ parts, log, hosts: ownNames(settings.host) }), log });
    await app.init();
    await parts.control.start();
    const port = await listen(app, settings.host, settings.port);
    watch(() => parts.control.fresh);
    onSignal = () => {
      onSignal = () => undefined;
      setTimeout(() => endWith(70, 'stopping took too long; what is open is settled when its lease has run out'), STOP_MS);
      void (async () => {
        const left = await stopBroker(parts, { drain: (ms) => drainHttp(app, ms), close: () => app.close() });
        if (left === 'lost') log.fatal('neither the journal nor the spool could be written: outcomes of calls are lost, and will be recorded as unknown');
        await parts.control.stop();
        await parts.close();
        process.exit(0);
      })().catch(endStart);
    };
    process.stdout.write(`${JSON.stringify({ url: urlOf(settings.host, port) })}\n`);
  } catch (error) {
    endStart(error);
  }
}

/** Ends the process when it could confirm nothing for a long time. */
function watch(fresh: () => boolean): void {
  let freshAt = performance.now();
  setInterval(() => {
    if (fresh()) freshAt = performance.now();
    else if (performance.now() - freshAt > GONE_MS) endWith(70, 'the installation cannot be reached any more; start again');
  }, 1_000).unref();
}
