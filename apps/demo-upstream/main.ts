import { startDemoServer } from '#libs/composition/demo';

/**
 * The demo's upstream MCP server as a process of its own. `DEMO_PORT` says where it listens on loopback (0 or absent: any free port);
 * the first line on stdout is `{"port":n}`. It lives as long as whoever started it holds its stdin open.
 */
const port = Number(process.env['DEMO_PORT'] ?? '0');
const server = await startDemoServer(Number.isInteger(port) && port >= 0 && port < 65_536 ? port : 0);
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  void server.close().finally(() => process.exit(0));
};
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end);
