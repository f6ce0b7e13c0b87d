export { type EmbeddedPostgres, type EmbeddedPostgresOptions, runningPort, startEmbeddedPostgres } from './cluster.ts';
