import type { Pool } from 'pg';

export type Use = Pool;
