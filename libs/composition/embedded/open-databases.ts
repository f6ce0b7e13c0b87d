import { migrateJobs } from '#libs/adapters/bullmq';
import { startEmbeddedPostgres } from '#libs/adapters/embedded-postgres';
import { claimInstallation, urlAs } from '#libs/adapters/postgres';
import { Refusal } from '#libs/contracts';
import { type DataDirectory, whileStarting } from './data-directory.ts';
import { readRunning } from './running.ts';

/** The databases of an installation, claimed for this process, with a connection string for each role that a part may use. */
export interface Databases {
  /** Operational: journal and state. */
  readonly app: string;
  /** Operational: reads the journal. */
  readonly follower: string;
  /** Audit: the projector's one function. */
  readonly projector: string;
  /** Audit: reads, tenant by tenant. */
  readonly reader: string;
  /** Audit: which calls of a lost broker are open. */
  readonly settler: string;
  /** Resolves when the database server is gone, or the claim on it: nothing can be served any more. */
  readonly lost: Promise<void>;
  /** Gives the installation free; stops the server when it is ours. */
  close(): Promise<void>;
}

export interface OpenDatabasesOptions {
  readonly data: DataDirectory;
  /** Databases of the user's own; the embedded server when absent. */
  readonly external?: { readonly operational: string; readonly audit: string };
  readonly progress: (sentence: string) => void;
}

export async function openDatabases(options: OpenDatabasesOptions): Promise<Databases> {
  const { data, progress } = options;
  return whileStarting(data, async () => {
    const server = options.external ? undefined : await startEmbeddedPostgres({ directory: data.postgres, progress });
    if (server?.adopted) progress('took over the PostgreSQL of an earlier start');
    const operational = options.external?.operational ?? server!.url('holdfast');
    const audit = options.external?.audit ?? server!.url('holdfast_audit');
    try {
      const claim = await claimInstallation({ operationalUrl: operational, auditUrl: audit, logins: data.logins, progress });
      await migrateJobs({ adminUrl: operational, role: 'holdfast_app' });
      const as = (url: string, role: string): string => urlAs(url, role, data.logins[role]!);
      return {
        app: as(operational, 'holdfast_app'),
        follower: as(operational, 'holdfast_follower'),
        projector: as(audit, 'holdfast_projector'),
        reader: as(audit, 'holdfast_reader'),
        settler: as(audit, 'holdfast_settler'),
        lost: claim.lost,
        close: async () => {
          await claim.release();
          await server?.stop();
        },
      };
    } catch (error) {
      if (error instanceof Refusal && error.code === 'already_running') {
        const running = readRunning(data.path);
        throw new Refusal('already_running', `Holdfast is already running on ${data.path}${running ? ` (pid ${running.pid}, ${running.url})` : ''}`);
      }
      // A server that somebody else uses is theirs; one that we started for nothing is ours.
      if (server && !server.adopted) await server.stop();
      throw error;
    }
  });
}
