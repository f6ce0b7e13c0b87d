// Start and one call on Node 22. Its binary comes as an npm package into a directory of its own, outside the product's dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installMissing, root } from './prepare.mjs';

const READY_MS = 60_000;
installMissing();
build();

const directory = mkdtempSync(join(tmpdir(), 'holdfast-node22-'));
chmodSync(directory, 0o755);
try {
  const node = installNode22();
  await smoke(node);
  console.log(`smoke on Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}: started, called, verified, stopped`);
} finally {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function installNode22() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  writeFileSync(join(directory, 'package.json'), '{"private":true}');
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `${name}@22`], { cwd: directory, stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } });
  const binary = join(directory, 'node_modules', name, 'bin', 'node');
  if (status !== 0 || !existsSync(binary)) throw new Error(`${name}@22 did not install`);
  return binary;
}

async function smoke(node) {
  const port = await freePort();
  const data = join(directory, 'data');
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, HOLDFAST_DATA: data, HOLDFAST_PORT: String(port), LOG_LEVEL: 'warn' };
  const server = spawn(node, [join(root, 'dist', 'apps', 'solo', 'main.js')], { cwd: directory, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', (code, signal) => resolve(code ?? signal)));
  try {
    const url = `http://127.0.0.1:${port}`;
    await ready(url, ended);
    const { tokens } = JSON.parse(readFileSync(join(data, 'demo-tokens.json'), 'utf8'));
    const version = '2026-07-28';
    const meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientInfo': { name: 'smoke', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} };
    const response = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.agent}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'office__notes_list' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'office__notes_list', arguments: {}, _meta: meta } }),
    });
    const answer = await response.json();
    if (!answer.result || answer.result.isError) throw new Error(`the call was not answered: ${JSON.stringify(answer)}`);
    for (const command of ['verify', 'check']) {
      const { status, stdout, stderr } = spawnSync(node, [join(root, 'dist', 'apps', 'cli', 'main.js'), 'audit', command, '--all'], { env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`holdfast audit ${command} ended with ${status}: ${stdout}${stderr}`);
    }
    server.kill('SIGTERM');
    const code = await ended;
    if (code !== 0) throw new Error(`stopping ended with ${code}`);
  } finally {
    server.kill('SIGKILL');
  }
}

async function ready(url, ended) {
  for (let waited = 0; waited < READY_MS; waited += 100) {
    const over = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100))]);
    if (over !== undefined) throw new Error(`Holdfast ended with ${over}`);
    if (await fetch(`${url}/readyz`).then((response) => response.ok, () => false)) return;
  }
  throw new Error('Holdfast was not ready in time');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
