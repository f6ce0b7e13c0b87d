import { describe, expect, it } from '@jest/globals';
import { HoldfastConfig } from './config-schema.ts';

const withServer = (server: Record<string, unknown>): unknown => ({
  apiVersion: 'holdfast/v1',
  tenants: [{ id: 'acme', name: 'Acme' }],
  servers: [{ id: 's', tenant: 'acme', ...server }],
});
const server = (more: Record<string, unknown>) => HoldfastConfig.parse(withServer(more)).servers[0]!;
const url = 'http://127.0.0.1:1/mcp';

describe('how a server is reached', () => {
  it.each([
    { type: 'http', url },
    { type: 'sse', url },
    { type: 'stdio', command: 'x', args: ['a'], env: { A: 'a', B: { secretRef: 'env:B' } }, cwd: '/tmp' },
  ])('is one of several ways: $type', (transport) => {
    expect(server({ transport }).transport).toEqual(transport);
  });

  it.each([{ type: 'sse' }, { type: 'sse', url: 'http://me:pw@h/' }, { type: 'sse', url: 'file:///x' }, { type: 'stdio' }, { type: 'http', url, command: 'x' }])('and not this: %j', (transport) => {
    expect(HoldfastConfig.safeParse(withServer({ transport })).success).toBe(false);
  });
});

describe('how long a server is waited for', () => {
  const transport = { type: 'http', url };

  it('has defaults; what depends on the time-out is left open', () => {
    expect(server({ transport }).limits).toEqual({ connectTimeoutMs: 5_000, timeoutMs: 60_000, concurrency: 64, maxResultBytes: 10_000_000 });
  });

  it('may be said', () => {
    const limits = { connectTimeoutMs: 500, firstByteTimeoutMs: 2_000, timeoutMs: 10_000, maxTimeoutMs: 7_200_000 };
    expect(server({ transport, limits }).limits).toMatchObject(limits);
  });
});

describe('a duration', () => {
  const expiresIn = (text: string): boolean => HoldfastConfig.safeParse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }], flows: [{ id: 'f', tenant: 'acme', expiresIn: text, steps: [{ name: 's', approvers: {} }] }] }).success;

  it.each([['1h', true], ['3660d', true], ['3661d', false], ['100000000d', false], [`${'9'.repeat(400)}ms`, false], ['1w', false]])('%s: %j', (text, valid) => {
    expect(expiresIn(text)).toBe(valid);
  });
});
