// Start and one call on Node 22.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node22 } from './node-22.mjs';
import { build, installMissing, root } from './prepare.mjs';
import { startHoldfast } from './start-holdfast.mjs';

installMissing();
build();

const directory = mkdtempSync(join(tmpdir(), 'holdfast-node22-'));
try {
  const node = node22();
  await smoke(node);
  console.log(`smoke on Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}: started, called, verified, stopped`);
} finally {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function smoke(node) {
  const holdfast = await startHoldfast({ directory, node });
  try {
    const { tokens } = JSON.parse(readFileSync(join(holdfast.data, 'demo-tokens.json'), 'utf8'));
    const version = '2026-07-28';
    const meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientInfo': { name: 'smoke', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} };
    const response = await fetch(`${holdfast.url}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.agent}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'office__notes_list' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'office__notes_list', arguments: {}, _meta: meta } }),
    });
    const answer = await response.json();
    if (!answer.result || answer.result.isError) throw new Error(`the call was not answered: ${JSON.stringify(answer)}`);
    for (const command of ['verify', 'check']) {
      const { status, stdout, stderr } = spawnSync(node, [join(root, 'dist', 'apps', 'cli', 'main.js'), 'audit', command, '--all'], { env: holdfast.environment, encoding: 'utf8' });
      if (status !== 0) throw new Error(`holdfast audit ${command} ended with ${status}: ${stdout}${stderr}`);
    }
    const code = await holdfast.stop();
    if (code !== 0) throw new Error(`stopping ended with ${code}`);
  } finally {
    holdfast.kill();
  }
}
