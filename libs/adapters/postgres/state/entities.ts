import { EntitySchema } from 'typeorm';
import type { HoldfastConfig } from '#libs/contracts';

export interface ConfigRevisionRow {
  revision: number;
  digest: string;
  document: HoldfastConfig;
  source: string;
}

export const ConfigRevisionEntity = new EntitySchema<ConfigRevisionRow>({
  name: 'config_revision',
  schema: 'state',
  columns: {
    revision: { type: 'int', primary: true },
    digest: { type: 'text' },
    document: { type: 'jsonb' },
    source: { type: 'text' },
  },
});

export interface OutboxRow {
  number: string;
  batch: Buffer;
  sentAt: Date | null;
}

export const OutboxEntity = new EntitySchema<OutboxRow>({
  name: 'outbox',
  schema: 'state',
  columns: {
    number: { type: 'bigint', primary: true },
    batch: { type: 'bytea' },
    sentAt: { type: 'timestamptz', name: 'sent_at', nullable: true },
  },
});
