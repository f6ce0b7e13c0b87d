import { describe, expect, it } from '@jest/globals';
import { type EventDraft, HoldfastConfig, type Refusal } from '#libs/contracts';
import { specSha256 } from '#libs/testing';
import { ApiKeys } from './api-keys.ts';
import { type DeniedAuthentication, DeniedAuthentications } from './denied-authentications.ts';
import { Hosts } from './hosts.ts';

const token = (letter: string): string => `hf_${letter.repeat(43)}`;
const hashOf = (text: string): string => Buffer.from(specSha256(text)).toString('hex');

describe('API keys', () => {
  const key = {
    id: 'k1',
    tenant: 'acme',
    user: 'ada',
    client: 'cli',
    agent: 'bot',
    roles: ['agent'],
    sha256: hashOf(token('a')),
    servers: ['billing'],
  };
  const keysOf = (more: Record<string, unknown>[] = []): HoldfastConfig =>
    HoldfastConfig.parse({
      apiVersion: 'holdfast/v1',
      tenants: [{ id: 'acme', name: 'Acme' }],
      identity: { users: [{ id: 'ada', tenant: 'acme', groups: ['finance'] }], keys: [key, ...more] },
    });
  let now = 1_000;
  const keys = new ApiKeys(specSha256, { now: () => now });
  const code = (header: string | undefined): string => {
    try {
      keys.authenticate(header);
      return 'ok';
    } catch (error) {
      expect(String(error)).not.toContain('hf_');
      return (error as Refusal).code;
    }
  };

  it('stand for user, client and agent, with the groups of the user', () => {
    keys.use(keysOf());
    expect(keys.authenticate(`Bearer ${token('a')}`)).toEqual({
      tenant: 'acme',
      user: 'ada',
      client: 'cli',
      agent: 'bot',
      roles: ['agent'],
      groups: ['finance'],
      key: 'k1',
      servers: ['billing'],
    });
    expect(keys.authenticate(`bearer ${token('a')}`)).toBe(keys.authenticate(`Bearer ${token('a')}`));
  });

  it.each([
    [undefined, 'unauthenticated'],
    ['', 'unauthenticated'],
    ['Basic YTpi', 'unauthenticated'],
    ['Bearer', 'token_malformed'],
    ['Bearer ', 'token_malformed'],
    ['Bearer nonsense', 'token_malformed'],
    [`Bearer ${token('a').slice(0, -1)}`, 'token_malformed'],
    [`Bearer ${token('a')} extra`, 'token_malformed'],
    [`Bearer  ${token('a')}`, 'token_malformed'],
    [`Bearer hf_${'a'.repeat(5_000)}`, 'token_malformed'],
    [`Bearer ${token('b')}`, 'token_unknown'],
    [`Bearer hf_${hashOf(token('a'))}`, 'token_unknown'],
  ])('%s: %s', (header, expected) => {
    keys.use(keysOf());
    expect(code(header)).toBe(expected);
  });

  it('end when they expire, at that moment', () => {
    keys.use(keysOf([{ ...key, id: 'k2', sha256: hashOf(token('c')), expiresAt: '1970-01-01T00:00:02Z' }]));
    now = 1_999;
    expect(code(`Bearer ${token('c')}`)).toBe('ok');
    now = 2_000;
    expect(code(`Bearer ${token('c')}`)).toBe('token_expired');
  });

  it('end when a configuration without them is in force', () => {
    keys.use(keysOf());
    keys.use(HoldfastConfig.parse({ apiVersion: 'holdfast/v1', tenants: [{ id: 'acme', name: 'Acme' }] }));
    expect(code(`Bearer ${token('a')}`)).toBe('token_unknown');
  });
});

describe('failed authentications', () => {
  const failure = (more: Partial<DeniedAuthentication> = {}): DeniedAuthentication => ({
    code: 'token_unknown',
    endpoint: '/mcp',
    ip: '192.0.2.1',
    key: undefined,
    ...more,
  });
  const count = (events: readonly (EventDraft | undefined)[]): number =>
    events.reduce((sum, event) => sum + (event?.type === 'auth.denied' ? event.data.count : 0), 0);
  const corr = (): string => 'c';

  it('are told at once the first time, counted afterwards, and never forgotten', () => {
    const denied = new DeniedAuthentications();
    expect(denied.note(failure(), 0, 'c')).toMatchObject({
      tenant: '_system',
      actor: { via: 'mcp', ip: '192.0.2.1' },
      data: { code: 'token_unknown', count: 1 },
    });
    for (let i = 0; i < 999; i++) expect(denied.note(failure(), i, 'c')).toBeUndefined();
    expect(denied.note(failure({ code: 'token_expired', key: 'k1' }), 5, 'c')).toMatchObject({
      data: { code: 'token_expired', key: 'k1', count: 1 },
    });
    expect(denied.note(failure({ ip: '192.0.2.2' }), 5, 'c')).toBeDefined();
    expect(denied.due(9_999, corr)).toEqual([]);
    expect(denied.due(10_000, corr)).toMatchObject([{ data: { code: 'token_unknown', count: 999 } }]);
    expect(denied.due(20_000, corr)).toEqual([]);
    expect(denied.note(failure(), 20_001, 'c')).toMatchObject({ data: { count: 1 } });
  });

  it('from countless addresses take bounded room, and the counts still add up', () => {
    const denied = new DeniedAuthentications();
    const told: (EventDraft | undefined)[] = [];
    for (let i = 0; i < 20_000; i++) told.push(denied.note(failure({ ip: `192.0.2.${i}` }), 0, 'c'));
    expect(told.filter(Boolean).length).toBeLessThanOrEqual(1_001);
    expect(count([...told, ...denied.due(10_000, corr)])).toBe(20_000);
  });

  it('that could not be recorded are in a later count', () => {
    const denied = new DeniedAuthentications();
    const first = denied.note(failure(), 0, 'c')!;
    denied.untold(first);
    denied.note(failure(), 1, 'c');
    const [summary] = denied.due(10_000, corr);
    expect(count([summary])).toBe(2);
    denied.untold(summary!);
    expect(count(denied.due(10_001, corr, true))).toBe(2);
  });

  it('are told when the clock was set back, and when the process stops', () => {
    const denied = new DeniedAuthentications();
    denied.note(failure(), 1_000_000, 'c');
    denied.note(failure(), 1_000_000, 'c');
    expect(count(denied.due(5, corr))).toBe(1);
    denied.note(failure(), 6, 'c');
    expect(count(denied.due(7, corr, true))).toBe(1);
  });
});

describe('hosts and origins', () => {
  const hosts = new Hosts(['gate.acme.test', 'proxy.acme.test:8443']);

  it.each([
    ['localhost:4640', true],
    ['127.0.0.1:4640', true],
    ['[::1]:4640', true],
    ['LOCALHOST', true],
    ['gate.acme.test', true],
    ['gate.acme.test:1', true],
    ['proxy.acme.test:8443', true],
    ['proxy.acme.test', false],
    ['evil.test', false],
    ['localhost.evil.test', false],
    ['evil.test#localhost', false],
    ['localhost@evil.test', false],
    ['127.0.0.1.nip.io', false],
    ['2130706433', false],
    ['', false],
    [undefined, false],
  ])('host %s: %s', (host, served) => {
    expect(hosts.servesHost(host)).toBe(served);
  });

  it.each([
    [undefined, true],
    ['http://localhost:3000', true],
    ['https://gate.acme.test', true],
    ['https://proxy.acme.test:8443', true],
    ['https://evil.test', false],
    ['null', false],
    ['file://', false],
    ['chrome-extension://localhost', false],
    ['http://localhost@evil.test', false],
    ['http://localhost/../evil', false],
  ])('origin %s: %s', (origin, accepted) => {
    expect(hosts.acceptsOrigin(origin)).toBe(accepted);
  });
});
