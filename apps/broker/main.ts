import { startBroker } from './start-broker.ts';

await startBroker(process.env);
