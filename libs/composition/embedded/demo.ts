import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastConfig, Refusal } from '#libs/contracts';

/** What the demo shows at its first start: who may do what, by whom. */
const PEOPLE = [
  { name: 'agent', user: 'ada', client: 'demo-client', agent: 'notes-bot', roles: ['agent'] },
  { name: 'approver', user: 'grace', client: 'console', roles: ['approver'] },
  { name: 'secondApprover', user: 'edsger', client: 'console', roles: ['approver'] },
  { name: 'auditor', user: 'barbara', client: 'console', roles: ['auditor'] },
  { name: 'operator', user: 'oscar', client: 'console', roles: ['operator'] },
  { name: 'admin', user: 'admin', client: 'console', roles: ['admin'] },
] as const;

type Person = (typeof PEOPLE)[number]['name'];

export interface Demo {
  readonly config: HoldfastConfig;
  readonly tokens: Readonly<Record<Person, string>>;
  readonly upstreamPort: number;
}

interface Stored {
  readonly upstreamPort: number;
  readonly tokens: Readonly<Record<Person, string>>;
}

const FILE = 'demo-tokens.json';

/** The demo of a data directory: the same tokens and the same upstream port at every start, so that clients stay configured. */
export async function openDemo(data: string, freePort: (preferred: number) => Promise<number>): Promise<Demo> {
  const file = join(data, FILE);
  const stored = existsSync(file) ? readStored(file) : {};
  const tokens = Object.fromEntries(PEOPLE.map(({ name }) => [name, stored.tokens?.[name] ?? `hf_${randomBytes(32).toString('base64url')}`])) as Record<Person, string>;
  const upstreamPort = await freePort(stored.upstreamPort ?? 0);
  writeFileSync(`${file}.new`, `${JSON.stringify({ upstreamPort, tokens }, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { config: demoConfig(tokens, upstreamPort), tokens, upstreamPort };
}

function readStored(file: string): Partial<Stored> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored;
  } catch {
    throw new Refusal('data_corrupt', `${file} is damaged; remove it and new demo tokens are made at the next start`);
  }
}

function demoConfig(tokens: Readonly<Record<Person, string>>, upstreamPort: number): HoldfastConfig {
  const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
  return HoldfastConfig.parse({
    apiVersion: 'holdfast/v1',
    tenants: [{ id: 'demo', name: 'Demo' }],
    identity: {
      users: PEOPLE.map(({ user, roles }) => ({ id: user, tenant: 'demo', email: `${user}@demo.test`, groups: [], roles: [...roles] })),
      keys: PEOPLE.map((person) => ({ id: `demo-${person.name}`, tenant: 'demo', user: person.user, client: person.client, ...('agent' in person ? { agent: person.agent } : {}), roles: [...person.roles], sha256: sha256(tokens[person.name]) })),
    },
    agents: [{ id: 'notes-bot', tenant: 'demo', owner: 'oscar' }],
    servers: [
      {
        id: 'office',
        tenant: 'demo',
        owner: 'team-demo',
        transport: { type: 'http', url: `http://127.0.0.1:${upstreamPort}/mcp` },
        tools: { notes_list: { class: 'read' }, notes_add: { class: 'write' }, invoice_get: { class: 'read-sensitive' }, send_email: { class: 'external' } },
      },
    ],
    policies: [
      { id: 'reads', tenant: 'demo', match: { classes: ['read', 'read-sensitive'] }, effect: 'allow', reason: 'Reading is allowed.' },
      { id: 'short-notes', tenant: 'demo', match: { tools: ['notes_add'] }, when: 'size(args.text) <= 200', effect: 'allow', reason: 'Notes of up to 200 characters may be written.' },
      { id: 'mail-needs-people', tenant: 'demo', match: { classes: ['external'] }, effect: 'require_approval', flow: 'two-steps', reason: 'Mail leaves the house: two people look first.' },
      { id: 'no-mail-outside', tenant: 'demo', priority: 100, match: { tools: ['send_email'] }, when: '!args.to.endsWith("@demo.test")', effect: 'deny', reason: 'Mail to addresses outside demo.test is never sent.' },
    ],
    flows: [
      {
        id: 'two-steps',
        tenant: 'demo',
        expiresIn: '1h',
        steps: [
          { name: 'first', approvers: { users: ['grace'] }, need: 1 },
          { name: 'second', approvers: { users: ['edsger'] }, need: 1 },
        ],
      },
    ],
  });
}
