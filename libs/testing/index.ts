export { configuration, httpServer } from './builders.ts';
export { testDatabase, type DatabaseKind, type TestDatabase } from './postgres/test-database.ts';
