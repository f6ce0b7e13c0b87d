import { startChoresServer } from './chores-server.ts';

/** The chores server as a process of its own; the first line on stdout is `{"url":"…"}`. It lives as long as whoever started it holds its stdin open. */
const server = await startChoresServer();
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  void server.close().finally(() => process.exit(0));
};
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end);
