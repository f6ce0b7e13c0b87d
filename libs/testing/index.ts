export { MemoryRecorder, type RecorderFailure } from './broker/memory-recorder.ts';
export { MemoryUpstreams, tool } from './broker/memory-upstreams.ts';
export { ada, type CallResult, codeOf, config, server, SpecBroker, specConditions, specValidator } from './broker/spec-broker.ts';
export { specClock, specDigest, specIds, specSha256 } from './broker/spec-ports.ts';
export { configuration, httpServer } from './builders.ts';
export { journalOf, projectInto } from './audit-log.ts';
export { asEntries, digestOf, EventWriter, uuidOf } from './event-writer.ts';
export { testDatabase, type DatabaseKind, type TestDatabase, withClient } from './postgres/test-database.ts';
