export { configuration, httpServer } from './builders.ts';
export { testDatabase, type DatabaseKind, type TestDatabase, withClient } from './postgres/test-database.ts';
