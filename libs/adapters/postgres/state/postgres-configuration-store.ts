import type { DataSource } from 'typeorm';
import type { EventDraft } from '#libs/contracts';
import type { ConfigRevision, ConfigurationStore } from '#libs/ports';
import { ConfigRevisionEntity, type ConfigRevisionRow } from './entities.ts';
import type { PostgresOutbox } from './postgres-outbox.ts';

/** SQLSTATE of a second row with the same key. */
const UNIQUE_VIOLATION = '23505';

/** {@link ConfigurationStore} in the operational database; the revision number's key is the compare-and-set. */
export class PostgresConfigurationStore implements ConfigurationStore {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: PostgresOutbox,
  ) {}

  async latest(): Promise<ConfigRevision | null> {
    const [row] = await this.database.getRepository(ConfigRevisionEntity).find({ order: { revision: 'DESC' }, take: 1 });
    return row ? toRevision(row) : null;
  }

  async tenants(): Promise<readonly string[]> {
    const rows = (await this.database.query(`select distinct tenant ->> 'id' as id from state.config_revision, jsonb_array_elements(document -> 'tenants') tenant order by id`)) as { id: string }[];
    return rows.map((row) => row.id);
  }

  async apply(next: ConfigRevision, previous: number | null, source: 'start' | 'api', events: readonly EventDraft[]): Promise<ConfigRevision | null> {
    if (next.revision !== (previous ?? 0) + 1) throw new RangeError('revisions are numbered without holes');
    try {
      await this.database.transaction(async (transaction) => {
        await transaction.getRepository(ConfigRevisionEntity).insert({ revision: next.revision, digest: next.digest, document: next.config, source });
        await this.outbox.stage(transaction, events);
      });
      return next;
    } catch (error) {
      if ((error as { driverError?: { code?: string } }).driverError?.code === UNIQUE_VIOLATION) return null;
      throw error;
    }
  }
}

function toRevision(row: ConfigRevisionRow): ConfigRevision {
  return { revision: row.revision, digest: row.digest, config: row.document };
}
