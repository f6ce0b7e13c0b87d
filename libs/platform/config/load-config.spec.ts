import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configJsonSchema } from '#libs/contracts';
import { loadConfig, loadConfigFile, type LoadedConfig } from './load-config.ts';
import { type ConfigProblem, describeProblems } from './problem.ts';
import { MAX_CONFIG_BYTES } from './yaml-source.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const example = readFileSync(join(docs, 'holdfast.example.yaml'), 'utf8');

const problemsOf = (loaded: LoadedConfig): readonly ConfigProblem[] => (loaded.ok ? [] : loaded.problems);
const problems = (text: string): readonly ConfigProblem[] => problemsOf(loadConfig(text));

/** A small valid file, with lines put in at the end of its only server. */
const withServer = (...lines: readonly string[]): string =>
  ['apiVersion: holdfast/v1', 'tenants: [{ id: acme, name: Acme }]', 'servers:', '  - id: billing', '    tenant: acme', '    transport: { type: http, url: "http://127.0.0.1:1/mcp" }', ...lines.map((line) => `    ${line}`)].join('\n');
const with_ = (...lines: readonly string[]): string => ['apiVersion: holdfast/v1', 'tenants: [{ id: acme, name: Acme }]', ...lines].join('\n');

describe('the documentation', () => {
  it('holds an example that loads, with defaults filled in', () => {
    const loaded = loadConfigFile(join(docs, 'holdfast.example.yaml'));
    expect(problemsOf(loaded)).toEqual([]);
    expect(loaded).toMatchObject({ ok: true, config: { servers: [{ trust: 'auto' }, {}, {}], policies: [{ priority: 0 }, {}, { priority: 100 }] } });
  });

  it('holds the JSON Schema that editors use, as the contracts say it', () => {
    expect(JSON.parse(readFileSync(join(docs, 'holdfast.schema.json'), 'utf8'))).toEqual(configJsonSchema());
  });
});

describe('unknown keys', () => {
  it('are named with their line and the nearest key that is valid there', () => {
    expect(problems(withServer('trasport: {}'))).toEqual([{ line: 7, column: 5, path: 'servers[0].trasport', message: 'unknown key trasport', suggestion: 'transport' }]);
  });

  it('are compared with the keys of their place only', () => {
    // `url` is a key of the http transport, not of stdio.
    const text = with_('servers:', '  - id: a', '    tenant: acme', '    transport:', '      type: stdio', '      command: node', '      ulr: x', '      comand: y');
    expect(problems(text)).toMatchObject([
      { line: 9, path: 'servers[0].transport.ulr', message: expect.stringContaining('known here: type, command, args, env, cwd') },
      { line: 10, path: 'servers[0].transport.comand', suggestion: 'command' },
    ]);
  });

  it('are found at the top, in lists and behind aliases', () => {
    expect(problems(with_('polices: []'))).toMatchObject([{ line: 3, column: 1, suggestion: 'policies' }]);
    expect(problems(with_('agents: []', 'flows: &f', '  - { id: x, tenant: acme, stepps: [] }'))).toMatchObject([{ line: 5, message: 'steps is missing' }, { line: 5, column: 28, suggestion: 'steps' }]);
  });
});

describe('wrong values', () => {
  it.each([
    ['a word not allowed', 'trust: opne', 'servers[0].trust', 'must be one of review, auto, open', 'open'],
    ['a type not allowed', 'auth: { type: baerer }', 'servers[0].auth.type', 'must be one of none, bearer, header', 'bearer'],
    ['a text for a number', 'limits: { timeoutMs: soon }', 'servers[0].limits.timeoutMs', 'must be a number, not text', undefined],
    ['a fraction', 'limits: { timeoutMs: 100.5 }', 'servers[0].limits.timeoutMs', 'must be a whole number', undefined],
    ['a number too small', 'limits: { timeoutMs: 5 }', 'servers[0].limits.timeoutMs', 'must be at least 100', undefined],
    ['a number too large', 'limits: { timeoutMs: 5000000 }', 'servers[0].limits.timeoutMs', 'must be at most 3600000', undefined],
    ['a map for a list', 'dataClasses: { a: b }', 'servers[0].dataClasses', 'must be a list, not a map', undefined],
    ['nothing for a map', 'limits:', 'servers[0].limits', 'must be a map, not nothing', undefined],
    ['a number for a text', 'owner: 42', 'servers[0].owner', 'must be text; put it in quotes', undefined],
    ['a form not allowed', 'expose: { prefix: "a b" }', 'servers[0].expose.prefix', 'has characters or a form that is not allowed here', undefined],
    ['a reference not known', 'auth: { type: bearer, token: { secretRef: "keychain:x" } }', 'servers[0].auth.token.secretRef', 'must be env:NAME, file:PATH or vault:NAME', undefined],
    ['an impact class not known', 'tools: { refund: { class: extrenal } }', 'servers[0].tools.refund.class', 'must be one of read, read-sensitive, write, external', 'external'],
  ])('%s', (_, line, path, message, suggestion) => {
    expect(problems(withServer(line))).toEqual([{ line: 7, column: expect.any(Number), path, message, ...(suggestion !== undefined && { suggestion }) }]);
  });

  it('points at the value, and at the entry when a key is missing', () => {
    expect(problems(withServer('trust: opne'))).toMatchObject([{ line: 7, column: 12 }]);
    expect(problems(with_('agents:', '  - id: bot', '    tenant: acme'))).toEqual([{ line: 4, column: 5, path: 'agents[0].owner', message: 'owner is missing' }]);
    expect(problems(with_('identity: { users: [{ id: a, tenant: acme, email: nobody }] }'))).toMatchObject([{ message: 'must be an e-mail address' }]);
    expect(problems('tenants: []')).toMatchObject([{ path: 'apiVersion', message: 'apiVersion is missing; it must be holdfast/v1' }, { path: 'tenants', message: 'needs at least 1 entry' }]);
    expect(problems('')).toMatchObject([{ line: 1, column: 1, path: '', message: 'must be a map, not nothing' }]);
  });

  it('tells about an alternative what its author meant', () => {
    const env = (value: string): string => with_('servers:', '  - { id: a, tenant: acme, transport: { type: stdio, command: x, env: { A: ' + value + ' } } }');
    expect(problems(env('{ secretref: "env:X" }'))).toMatchObject([{ message: 'secretRef is missing' }, { path: 'servers[0].transport.env.A.secretref', message: 'unknown key secretref', suggestion: 'secretRef' }]);
    expect(problems(env('3'))).toMatchObject([{ path: 'servers[0].transport.env.A', message: 'must be text or a map' }]);
    expect(problems(env('plain'))).toEqual([]);
  });
});

describe('secrets', () => {
  it.each([
    ['where a reference belongs', withServer('auth: { type: bearer, token: hunter2 }'), 'servers[0].auth.token', /write \{ secretRef: env:NAME \}/],
    ['as a header', withServer('auth: { type: header, name: X-Key, value: hunter2 }'), 'servers[0].auth.value', /write \{ secretRef: env:NAME \}/],
    ['in a URL', with_('servers: [{ id: a, tenant: acme, transport: { type: http, url: "http://me:hunter2@h/mcp" } }]'), 'servers[0].transport.url', /credentials do not stand in a URL/],
    ['in the environment of a server', with_('servers: [{ id: a, tenant: acme, transport: { type: stdio, command: x, env: { API_KEY: hunter2 } } }]'), 'servers[0].transport.env.API_KEY', /looks like a secret/],
    ['under a key of their own', withServer('password: hunter2'), 'servers[0].password', /a secret never stands in this file/],
  ])('are refused %s', (_, text, path, message) => {
    expect(problems(text)).toEqual([{ line: expect.any(Number), column: expect.any(Number), path, message: expect.stringMatching(message) }]);
  });

  it('of a key are told to be hashed', () => {
    const text = with_('identity:', '  users: [{ id: ada, tenant: acme }]', '  keys: [{ id: k, tenant: acme, user: ada, client: c, roles: [agent], token: hunter2 }]');
    expect(problems(text)).toMatchObject([{ path: 'identity.keys[0].sha256' }, { path: 'identity.keys[0].token', suggestion: 'sha256, the SHA-256 of the token' }]);
  });

  it('and all other values never appear in a problem, whatever is wrong with them', () => {
    // Every scalar of the example in turn is replaced by something that is wrong in most places, and by something that breaks YAML.
    const scalars = [...example.matchAll(/(?<=[:[,] )[\w./@-]+(?=[\s,\]}])/g)];
    expect(scalars.length).toBeGreaterThan(60);
    let found = 0;
    for (const { index, 0: scalar } of scalars) {
      for (const wrong of ['hunter2 is my password', '{ hunter2: [hunter2] }', '[hunter2, 17]', '"hunter2', '*hunter2', '!hunter2 x', '@hunter2', '"\\hunter2"']) {
        const told = problems(example.slice(0, index) + wrong + example.slice(index + scalar.length)).map(({ path, message, suggestion }) => ({ path: path.replaceAll('.hunter2', ''), message: message.replaceAll(/unknown key hunter2|the key hunter2/g, ''), suggestion }));
        found += told.length;
        expect(JSON.stringify(told)).not.toContain('hunter2');
      }
    }
    expect(found).toBeGreaterThan(300);
  });
});

describe('references', () => {
  it.each([
    ['two tenants', ['tenants: [{ id: a, name: A }, { id: a, name: B }]'], 'tenants[1].id', /two tenants have this id; the other one is on line 2/],
    ['two users', ['tenants: [{ id: a, name: A }]', 'identity:', '  users:', '    - { id: u, tenant: a }', '    - { id: u, tenant: a }'], 'identity.users[1].id', /two users .* on line 5/],
    ['two servers', ['tenants: [{ id: a, name: A }]', 'servers:', ...Array<string>(2).fill('  - { id: s, tenant: a, transport: { type: http, url: "http://h/" } }')], 'servers[1].id', /two servers .* on line 4/],
    ['two steps', ['tenants: [{ id: a, name: A }]', 'flows: [{ id: f, tenant: a, steps: [{ name: x, approvers: {} }, { name: x, approvers: {} }] }]'], 'flows[0].steps[1].name', /two steps/],
    ['no tenant', ['tenants: [{ id: a, name: A }]', 'policies: [{ id: p, tenant: b, effect: deny }]'], 'policies[0].tenant', /no such tenant/],
    ['no flow', ['tenants: [{ id: a, name: A }]', 'policies: [{ id: p, tenant: a, effect: require_approval, flow: f }]'], 'policies[0].flow', /no such flow/],
    ['no owner', ['tenants: [{ id: a, name: A }]', 'agents: [{ id: p, tenant: a, owner: u }]'], 'agents[0].owner', /no such user/],
  ])('%s', (_, lines, path, message) => {
    expect(problems(['apiVersion: holdfast/v1', ...lines].join('\n'))).toEqual([{ line: expect.any(Number), column: expect.any(Number), path, message: expect.stringMatching(message) }]);
  });

  it('of a key are its user and servers', () => {
    const key = 'client: c, roles: [agent], sha256: "' + '0'.repeat(64) + '"';
    const text = with_('identity:', `  keys: [{ id: k, tenant: acme, user: u, servers: [s], ${key} }]`);
    expect(problems(text).map(({ path, message }) => [path, message])).toEqual([
      ['identity.keys[0].user', 'no such user in this tenant'],
      ['identity.keys[0].servers[0]', 'no such server in this tenant'],
    ]);
  });

  it('stay within a tenant: the same id in another tenant is another thing', () => {
    const tenants = 'tenants: [{ id: a, name: A }, { id: b, name: B }]';
    const user = (tenant: string): string => `{ id: u, tenant: ${tenant} }`;
    expect(problems(['apiVersion: holdfast/v1', tenants, `identity: { users: [${user('a')}, ${user('b')}] }`].join('\n'))).toEqual([]);
    expect(problems(['apiVersion: holdfast/v1', tenants, `identity: { users: [${user('a')}] }`, 'agents: [{ id: x, tenant: b, owner: u }]'].join('\n'))).toMatchObject([{ path: 'agents[0].owner' }]);
  });

  it('of Slack: one app for each tenant, one tenant for each app, and none that a flow names without one', () => {
    const app = (tenant: string, team: string): string => `{ tenant: ${tenant}, appId: A0123, teamId: ${team}, botToken: { secretRef: env:B }, signingSecret: { secretRef: env:S } }`;
    const found = (...apps: readonly string[]) =>
      problems(['apiVersion: holdfast/v1', 'tenants: [{ id: a, name: A }, { id: b, name: B }]', `notify: { slack: [${apps.join(', ')}] }`, 'flows: [{ id: f, tenant: a, channels: [console, "slack:#x"], steps: [{ name: s, approvers: {} }] }]'].join('\n')).map(({ path, message }) => `${path}: ${message}`);
    expect(found(app('a', 'T01'), app('b', 'T02'))).toEqual([]);
    expect(found(app('a', 'T01'), app('a', 'T02'))).toEqual([expect.stringMatching(/^notify.slack\[1\].tenant: two Slack apps are given for this tenant/)]);
    expect(found(app('a', 'T01'), app('b', 'T01'))).toEqual([expect.stringMatching(/^notify.slack\[1\].teamId: this app in this workspace is given twice/)]);
    expect(found(app('b', 'T01'))).toEqual(['flows[0].channels[1]: no Slack app of this tenant stands under notify.slack']);
    expect(found(app('a', 'T01'), app('c', 'T02'))).toEqual(['notify.slack[1].tenant: no such tenant stands under tenants']);
    expect(found(app('a', 'T01').replace('{ secretRef: env:B }', 'xoxb-1'))).toEqual([expect.stringMatching(/^notify.slack\[0\].botToken: a secret never stands in this file/)]);
  });

  it('of two keys with the same token are found across tenants', () => {
    const key = (tenant: string): string => `    - { id: k, tenant: ${tenant}, user: u, client: c, roles: [agent], sha256: "${'1'.repeat(64)}" }`;
    const text = ['apiVersion: holdfast/v1', 'tenants: [{ id: a, name: A }, { id: b, name: B }]', 'identity:', '  users: [{ id: u, tenant: a }, { id: u, tenant: b }]', '  keys:', key('a'), key('b')].join('\n');
    expect(problems(text)).toMatchObject([{ line: 7, path: 'identity.keys[1].sha256', message: 'two keys are the same token; the other one is on line 6' }]);
  });

  it('are told beside everything else', () => {
    const all = problems(with_('agents: [{ id: bot, tenant: acme, owner: nobody, bugdet: {} }]', 'polices: []'));
    expect(all.map(({ line, message }) => [line, message])).toEqual([
      [3, 'no such user in this tenant'],
      [3, 'unknown key bugdet'],
      [4, 'unknown key polices'],
    ]);
  });
});

describe('YAML', () => {
  it.each([
    ['a key that stands twice', withServer('trust: auto', 'trust: open'), 8, 'the key trust stands in this map twice'],
    ['a quote that is not closed', with_('agents: "x'), 3, 'something is missing here, such as a closing quote, bracket, comma or colon'],
    ['a tab', 'apiVersion: holdfast/v1\ntenants:\n\t- id: acme', 3, 'a tab cannot indent; use spaces'],
    ['an alias without an anchor', with_('agents: *nobody'), 3, 'this alias names no anchor'],
    ['two documents', with_('---', 'a: b'), 3, 'the file holds more than one document'],
    ['a tag', with_('agents: !!js/function "x"'), 3, 'tags are not known here'],
  ])('%s', (_, text, line, message) => {
    expect(problems(text)).toContainEqual({ line, column: expect.any(Number), path: '', message });
  });

  it('that is too large, too deep or a bomb of aliases is refused', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`)].join('\n');
    expect(problems(bomb)).toEqual([{ line: 1, column: 1, path: '', message: 'the file uses too many aliases' }]);
    const deep = `agents: ${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(problems(deep)).toEqual([{ line: 1, column: 1, path: '', message: 'the file is nested too deeply' }]);
    expect(problems('#'.repeat(MAX_CONFIG_BYTES + 1))).toEqual([{ line: 1, column: 1, path: '', message: 'the file is larger than 1 MiB' }]);
  });

  it('may use anchors in moderation', () => {
    const text = withServer('limits: &l { timeoutMs: 1000 }').replace('servers:', 'servers:') + '\n  - { id: two, tenant: acme, transport: { type: http, url: "http://h/" }, limits: *l }';
    expect(loadConfig(text)).toMatchObject({ ok: true, config: { servers: [{ limits: { timeoutMs: 1000 } }, { limits: { timeoutMs: 1000 } }] } });
  });

  it('of thousands of problems tells the first hundred', () => {
    expect(problems(with_(...Array.from({ length: 5000 }, (_, i) => `wrong${i}: 1`)))).toHaveLength(100);
  });
});

describe('describeProblems', () => {
  it('writes one line a problem, with the place in front', () => {
    expect(describeProblems('holdfast.yaml', problems(withServer('trasport: {}')))).toEqual(['holdfast.yaml:7:5: servers[0].trasport: unknown key trasport; did you mean transport?'].map((line) => line.replace('7:5: ', '7:5: ')));
  });

  it('shows no key that could disturb a terminal', () => {
    expect(describeProblems('f', problems(with_('"\\e[2Jwrong": 1'))).join('')).not.toContain('\u001B');
  });
});
