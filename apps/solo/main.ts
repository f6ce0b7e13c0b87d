import { startSolo } from './start-solo.ts';

await startSolo(process.argv.slice(2), process.env);
