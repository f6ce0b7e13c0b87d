import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Histogram } from './histogram.ts';
import { type HoldfastUnderTest, SOLO, startHoldfast } from './holdfast.ts';
import { readParts } from './process-tree.ts';
import { startWitness, type Witness } from './witness.ts';

// npm run bench:approvals: how long from the last vote until the server has the call, and what thousands of held calls cost.

const USAGE = `npm run bench:approvals -- [--rounds 3] [--votes 100] [--held 10000] [--crowd 100]

  --rounds N  rounds of the first and the last measurement
  --votes N   calls that are approved one after the other in each round
  --held N    calls that are held at once
  --crowd N   people who vote at once on one step`;

const TENANT = 'bench';
const AT_ONCE = 32;
const LISTS = 200;

interface Voter {
  readonly id: string;
  readonly token: string;
}

const voters = (count: number): Voter[] => Array.from({ length: count }, (_, i) => ({ id: `voter-${i}`, token: `hf_${randomBytes(32).toString('base64url')}` }));

/** Everything of the tool `echo` is held: for one of the crowd, or for two of them when the message begins with `two`. */
function configured(base: Record<string, unknown>, crowd: readonly Voter[]): Record<string, unknown> {
  const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
  return {
    ...base,
    identity: {
      users: [...identity.users, ...crowd.map(({ id }) => ({ id, tenant: TENANT, groups: ['crowd'], roles: ['approver'] }))],
      keys: [...identity.keys, ...crowd.map(({ id, token }) => ({ id, tenant: TENANT, user: id, client: 'bench', roles: ['approver', 'operator'], sha256: createHash('sha256').update(token).digest('hex') }))],
    },
    policies: [
      { id: 'two', tenant: TENANT, priority: 2, effect: 'require_approval', when: 'args.message.startsWith("two")', flow: 'two' },
      { id: 'one', tenant: TENANT, priority: 1, effect: 'require_approval', when: '!args.message.startsWith("free")', flow: 'one' },
      { id: 'free', tenant: TENANT, effect: 'allow' },
    ],
    flows: [
      { id: 'one', tenant: TENANT, steps: [{ name: 'crowd', approvers: { groups: ['crowd'] } }] },
      { id: 'two', tenant: TENANT, steps: [{ name: 'crowd', approvers: { groups: ['crowd'] }, need: 2 }] },
    ],
    limits: [
      { tenant: TENANT, per: 'agent', held: 100_000 },
      { tenant: TENANT, per: 'tenant', held: 100_000 },
    ],
  };
}

class Office {
  constructor(
    readonly holdfast: HoldfastUnderTest,
    readonly witness: Witness,
    readonly crowd: readonly Voter[],
  ) {}

  private get api(): string {
    return this.holdfast.url.replace(/\/mcp$/, '/api/v1');
  }

  /** Calls as a client that follows tasks, so that what is held is answered at once; gives the approval. */
  async hold(message: string): Promise<string> {
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
    const response = await fetch(`${this.holdfast.url}/s/echo`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.holdfast.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message }, _meta: meta } }),
    });
    const text = await response.text();
    const [, approval] = /"approvalId":"([0-9a-f-]{36})"/.exec(text) ?? [];
    if (approval === undefined) throw new Error(`the call was not held: ${text.slice(0, 500)}`);
    return approval;
  }

  async vote({ token }: Voter, approval: string, version = 2): Promise<number> {
    const response = await fetch(`${this.api}/approvals/${approval}/decisions`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ verdict: 'approve', version }) });
    await response.text();
    return response.status;
  }

  async list(query: string): Promise<void> {
    const response = await fetch(`${this.api}/approvals?${query}`, { headers: { authorization: `Bearer ${this.crowd[0]!.token}` } });
    if (!response.ok) throw new Error(`the list was refused: ${response.status}`);
    await response.text();
  }

  memory(): string {
    const parts = readParts(this.holdfast.roots);
    if (!parts) return 'unknown';
    const mib = (kib: number): string => `${Math.round(kib / 1024)} MiB`;
    const main = parts.get('main')?.memoryKib ?? 0;
    const all = [...parts.values()].reduce((sum, { memoryKib }) => sum + memoryKib, 0);
    return `main process ${mib(main)}, everything with PostgreSQL ${mib(all)}`;
  }
}

const ms = (histogram: Histogram, percent: number): string => `${(histogram.percentile(percent) / 1000).toFixed(1)} ms`;
const spread = (histogram: Histogram): string => `p50 ${ms(histogram, 50)}, p95 ${ms(histogram, 95)}, p99 ${ms(histogram, 99)}, max ${(histogram.max / 1000).toFixed(1)} ms (${histogram.count})`;

/** Does something for each item, so many at once. */
async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  const left = [...items];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
  return (performance.now() - started) / 1000;
}

async function fromVoteToServer(office: Office, rounds: number, votes: number): Promise<boolean> {
  const [arrival, answer] = [new Histogram(), new Histogram()];
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < votes; i++) {
      const message = `vote ${round} ${i}`;
      const approval = await office.hold(message);
      const at = performance.now();
      const voting = office.vote(office.crowd[i % office.crowd.length]!, approval).then((status) => {
        if (status !== 200) throw new Error(`the vote was refused: ${status}`);
        return performance.now();
      });
      const [arrived, answered] = await Promise.all([office.witness.arrival(message), voting]);
      // The first round warms up.
      if (round === 0) continue;
      arrival.record((arrived - at) * 1000);
      answer.record((answered - at) * 1000);
    }
  }
  const met = arrival.percentile(50) < 25_000 && arrival.percentile(99) < 100_000;
  console.log(`from sending the last vote until the server has the call: ${spread(arrival)}; goal p50 < 25 ms, p99 < 100 ms: ${met ? 'met' : 'MISSED'}`);
  console.log(`until the vote is answered: ${spread(answer)}`);
  return met;
}

async function manyHeld(office: Office, count: number): Promise<void> {
  console.log(`memory before: ${office.memory()}`);
  const approvals: string[] = [];
  const held = await each(Array.from({ length: count }, (_, i) => `two ${i}`), AT_ONCE, async (message) => approvals.push(await office.hold(message)));
  console.log(`${count} calls held in ${held.toFixed(1)} s: ${Math.round(count / held)} a second; memory: ${office.memory()}`);
  for (const [name, query] of [['first page of 50', 'state=held&limit=50'], ['what waits for one person, 50', 'mine=true&limit=50']] as const) {
    const latency = new Histogram();
    for (let i = 0; i < LISTS; i++) {
      const at = performance.now();
      await office.list(query);
      latency.record((performance.now() - at) * 1000);
    }
    console.log(`list with ${count} held, ${name}: ${spread(latency)}`);
  }
  const some = approvals.slice(0, Math.min(approvals.length, 3_000));
  const voted = await each(some, AT_ONCE, async (approval) => {
    const status = await office.vote(office.crowd[0]!, approval);
    if (status !== 200) throw new Error(`a vote was refused: ${status}`);
  });
  console.log(`votes, ${AT_ONCE} at once: ${Math.round(some.length / voted)} a second; memory: ${office.memory()}`);
}

async function oneWinner(office: Office, rounds: number): Promise<boolean> {
  let wrong = 0;
  for (let round = 0; round < rounds * 5; round++) {
    const message = `crowd ${round}`;
    const approval = await office.hold(message);
    const statuses = await Promise.all(office.crowd.map((voter) => office.vote(voter, approval)));
    await office.witness.arrival(message);
    if (statuses.filter((status) => status === 200).length !== 1 || office.witness.executed.get(message) !== 1) wrong++;
  }
  console.log(`${office.crowd.length} votes at once on one step, ${rounds * 5} times: one winner and one execution each time: ${wrong === 0 ? 'yes' : `NO, ${wrong} times not`}`);
  return wrong === 0;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, votes: { type: 'string', default: '100' }, held: { type: 'string', default: '10000' }, crowd: { type: 'string', default: '100' }, help: { type: 'boolean', default: false } } });
  const [rounds, votes, held, size] = [values.rounds, values.votes, values.held, values.crowd].map(Number) as [number, number, number, number];
  if (values.help || ![rounds, votes, held, size].every((value) => Number.isInteger(value) && value > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  if (!existsSync(SOLO)) {
    console.error('Holdfast is not built: run npm start or npm test once');
    return 69;
  }
  if ((loadavg()[0] ?? 0) > 0.5) console.error(`the machine is busy (load ${loadavg()[0]!.toFixed(2)})`);
  const witness = await startWitness();
  const crowd = voters(size);
  const holdfast = await startHoldfast({ echo: { type: 'http', url: witness.url } }, (base) => configured(base, crowd));
  try {
    const office = new Office(holdfast, witness, crowd);
    const inTime = await fromVoteToServer(office, rounds, votes);
    const fair = await oneWinner(office, rounds);
    await manyHeld(office, held);
    const verified = await holdfast.verify();
    console.log(`holdfast audit verify: exit ${verified.exitCode}`);
    return inTime && fair && verified.exitCode === 0 ? 0 : 1;
  } finally {
    await holdfast.stop();
    await witness.close();
  }
}

process.exitCode = await main();
