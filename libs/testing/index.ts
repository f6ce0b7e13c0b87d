export { configuration, httpServer } from './builders.ts';
export { journalOf, projectInto } from './audit-log.ts';
export { asEntries, digestOf, EventWriter, uuidOf } from './event-writer.ts';
export { testDatabase, type DatabaseKind, type TestDatabase, withClient } from './postgres/test-database.ts';
