export { composeEmbedded, type Embedded, type EmbeddedOptions } from './embedded/embedded.ts';
export { type BrokerOptions, type BrokerParts, composeBroker } from './broker-parts.ts';
export { type Joined, joinInstallation } from './embedded/join.ts';
export { DRAIN_MS, FLUSH_MS, stopBroker, type StoppingEdge } from './stop-broker.ts';
export { type DataDirectory, openDataDirectory } from './embedded/data-directory.ts';
export { type Databases, openDatabases } from './embedded/open-databases.ts';
export { type Demo, openDemo } from './embedded/demo.ts';
export { readRunning, removeRunning, type Running, writeRunning } from './embedded/running.ts';
export { runProjector } from './projector.ts';
