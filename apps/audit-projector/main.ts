import { runProjector } from '#libs/composition';
import { createLog, readSettings } from '#libs/platform';

// Journal in, audit tables out. Ends when asked to, or when its standard input closes: beside apps/solo that means its parent is gone.
const settings = readSettings(process.env, ['databaseUrl', 'auditDatabaseUrl']);
const log = createLog({ level: settings.logLevel, app: 'audit-projector' });
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
if (process.argv.includes('--until-stdin-closes')) process.stdin.resume().on('end', () => stop.abort()).on('error', () => stop.abort());

try {
  await runProjector({ journalUrl: settings.databaseUrl, auditUrl: settings.auditDatabaseUrl, onState: (state, cause) => (state === 'down' ? log.warn({ err: cause }, 'waiting for the database') : log.debug('following the journal')) }, stop.signal);
  process.exit(0);
} catch (error) {
  log.fatal({ err: error }, 'the projector cannot go on');
  process.exit(1);
}
