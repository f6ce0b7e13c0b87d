// A server on standard input and output for the specs: it does what the name of the tool says. Environment: ERA = legacy | silent |
// dies | modern, STUBBORN = it ends neither with its input nor when it is asked to.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const { ERA = 'legacy', STUBBORN } = process.env;
const VERSION = '2026-07-28';
const seen = [];
const waiting = new Map();
let ids = 0;
let listened;

const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const notify = (method, params) => write({ method, params });

if (STUBBORN) {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1_000);
}

const tools = {
  echo: (params) => params,
  seen: () => ({ seen }),
  pid: () => ({ pid: process.pid }),
  env: () => process.env,
  wait: ({ arguments: { ms } }) => new Promise((resolve) => setTimeout(resolve, ms, { ms })),
  never: () => new Promise(() => undefined),
  die: () => process.exit(3),
  huge: ({ arguments: { bytes } }) => ({ x: 'x'.repeat(bytes) }),
  garbage: () => (process.stdout.write('Listening on stdio …\n[1,2]\nnull\n{"jsonrpc":"2.0","id":"call-0","result":{}}\n'), { ok: true }),
  stderr: ({ arguments: { lines } }) => {
    for (let n = 0; n < lines; n++) process.stderr.write(`line ${n}\n`);
    return {};
  },
  progress: ({ arguments: { times }, _meta }) => {
    for (let progress = 1; progress <= times; progress++) notify('notifications/progress', { progressToken: _meta.progressToken, progress });
    return { times };
  },
  log: () => (notify('notifications/message', { level: 'info', data: 0 }), {}),
  ask: ({ arguments: { method } }) =>
    new Promise((resolve) => {
      const id = ++ids;
      waiting.set(id, resolve);
      write({ id, method, params: { message: 'Sure?' } });
    }),
  changed: () => (notify('notifications/tools/list_changed', listened && { _meta: { 'io.modelcontextprotocol/subscriptionId': listened } }), {}),
  // A process that the server leaves behind, and that does not listen to anybody.
  spawn: () => {
    const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    return { pid: process.pid, child: child.pid };
  },
};

async function answer({ id, method, params }) {
  switch (method) {
    case 'server/discover':
      if (ERA === 'dies') process.exit(1);
      if (ERA === 'silent') return;
      if (ERA === 'modern') return write({ id, result: { supportedVersions: [VERSION], capabilities: { tools: { listChanged: true } } } });
      return write({ id, error: { code: -32601, message: 'Method not found' } });
    case 'initialize':
      return write({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: { listChanged: true }, resources: { subscribe: true } }, serverInfo: { name: 's', version: '1' } } });
    case 'tools/list':
      return write({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) } });
    case 'tools/call':
      return write({ id, result: await tools[params.name](params) });
    case 'resources/subscribe':
      write({ id, result: {} });
      return notify('notifications/resources/updated', { uri: params.uri });
    case 'subscriptions/listen':
      listened = id;
      return notify('notifications/subscriptions/acknowledged', { notifications: params.notifications, _meta: { 'io.modelcontextprotocol/subscriptionId': id } });
    default:
      return write({ id, error: { code: -32601, message: 'Method not found' } });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    seen.push(message);
    if (message.method === undefined) {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    } else if (message.id !== undefined) void answer(message);
  })
  .on('close', () => (STUBBORN ? undefined : process.exit(0)));
