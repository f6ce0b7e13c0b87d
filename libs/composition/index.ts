export { type Running, readRunning } from './embedded/running.ts';
