import { type HoldfastConfig, Refusal } from '#libs/contracts';
import type { ConfigurationStore } from '#libs/ports';
import type { Directory } from '../held/directory.ts';
import type { Moment } from './approval-store.ts';
import { directoryFor } from './people.ts';

/** A decision met a configuration that was not at hand; it is to be decided again once it is. */
export class UnknownRevision extends Error {
  constructor(readonly revision: number) {
    super(`revision ${revision} is not at hand`);
  }
}

const ATTEMPTS = 5;
/** One directory for each tenant, remembered until the configuration or the delegations change. */
interface Remembered {
  readonly revision: number;
  readonly delegations: string;
  readonly directory: Directory;
}

/** The configuration in force at the moment of a decision. It is read outside of the transaction, and judged by only where it is the same one. */
export class Configurations {
  private known: { readonly revision: number; readonly config: HoldfastConfig } | undefined;
  private readonly directories = new Map<string, Remembered>();

  constructor(private readonly store: Pick<ConfigurationStore, 'latest'>) {}

  /** Throws {@link UnknownRevision} when another one is in force than is at hand. */
  at(moment: Moment): HoldfastConfig {
    if (this.known?.revision !== moment.revision) throw new UnknownRevision(moment.revision);
    return this.known.config;
  }

  directory(tenant: string, moment: Moment): Directory {
    const config = this.at(moment);
    const delegations = JSON.stringify(moment.delegations);
    const before = this.directories.get(tenant);
    if (before?.revision === moment.revision && before.delegations === delegations) return before.directory;
    const directory = directoryFor(config, tenant, moment.delegations);
    this.directories.set(tenant, { revision: moment.revision, delegations, directory });
    return directory;
  }

  /** Does some work that asks for configurations, once more when a newer one came into force meanwhile. */
  async deciding<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UnknownRevision) || attempt === ATTEMPTS) throw error;
        const latest = await this.store.latest();
        if (!latest) throw new Refusal('config_invalid', 'no configuration is in force');
        this.known = latest;
      }
    }
  }
}
