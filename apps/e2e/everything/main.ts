import { type Eras, startEverythingServer } from './everything-server.ts';

/**
 * The everything server as a process of its own, on loopback. `EVERYTHING_PORT` says where (0 or absent: any free port),
 * `EVERYTHING_ERAS` whether it speaks only `modern` or only `legacy`; the first line on stdout is `{"url":"…"}`. It lives as long as whoever started it holds its stdin open.
 */
const port = Number(process.env['EVERYTHING_PORT'] ?? '0');
const eras: Eras = (['modern', 'legacy'] as const).find((era) => era === process.env['EVERYTHING_ERAS']) ?? 'both';
const server = await startEverythingServer(Number.isInteger(port) && port >= 0 && port < 65_536 ? port : 0, eras);
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  void server.close().finally(() => process.exit(0));
};
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end);
