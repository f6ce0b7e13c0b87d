import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven } from './harness/history.ts';
import { newKey } from './harness/holdfast.ts';
import { until } from './harness/until.ts';

const stranger = newKey({ id: 'stranger', tenant: 'other', user: 'grace', client: 'console', roles: ['approver'] });

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly id: string; readonly status: string; readonly version: number; readonly progress: string };
}

/** One reader of the stream, as a browser reads it. */
class Reader {
  readonly told: Told[] = [];
  ended: 'no' | 'in order' | 'cut off' = 'no';
  private readonly stop = new AbortController();
  readonly status: Promise<number>;

  constructor(url: string, token: string, lastEventId?: string) {
    const response = fetch(`${url}/api/v1/stream`, { signal: this.stop.signal, headers: { authorization: `Bearer ${token}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) } });
    this.status = response.then(({ status }) => status);
    void response.then((found) => this.read(found)).catch(() => (this.ended = 'cut off'));
  }

  close(): void {
    this.stop.abort();
  }

  private async read(response: Response): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
        if (fields['event'] !== undefined) this.told.push({ id: fields['id'] ?? '', event: fields['event'], data: JSON.parse(fields['data']!) as Told['data'] });
      }
    }
    this.ended = 'in order';
  }
}

describe('GET /api/v1/stream', () => {
  let w: ApprovalWorld;
  const readers: Reader[] = [];
  const reader = (token: string, lastEventId?: string): Reader => {
    const made = new Reader(w.installation.url, token, lastEventId);
    readers.push(made);
    return made;
  };
  beforeAll(async () => {
    w = await approvalWorld({
      config: (base) => {
        const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
        return {
          ...base,
          tenants: [{ id: 'acme', name: 'Acme' }, { id: 'other', name: 'Other' }],
          identity: { users: [...identity.users, { id: 'grace', tenant: 'other' }], keys: [...identity.keys, stranger.entry] },
        };
      },
    });
    await w.installation.start();
  });
  afterAll(async () => {
    for (const open of readers) open.close();
    await w.close();
  });

  it('tells the people of a tenant what changes, and nobody else; who was away hears what was missed', async () => {
    const [grace, oscar, other] = [reader(w.as('grace').token), reader(w.as('oscar').token), reader(stranger.token)];
    expect(await Promise.all([grace.status, oscar.status, other.status])).toEqual([200, 200, 200]);
    const calling = w.caller().call('wit__write', { marker: 'watched' });
    const first = await until('both hear of it', () => grace.told.length > 0 && oscar.told.length > 0 && grace.told[0]);
    expect(first).toMatchObject({ event: 'approval', data: { status: 'held', progress: 'first: 0 of 1 (step 1 of 2)' } });
    grace.close();
    await w.as('grace').decide(first.data.id, 'deny', first.data.version, { reason: 'no' });
    await calling;
    await until('the denial is told', () => oscar.told.some(({ data }) => data.status === 'denied'));
    const back = reader(w.as('grace').token, first.id);
    await until('what was missed is told', () => back.told.some(({ data }) => data.id === first.data.id && data.status === 'denied'));
    expect(other.told).toEqual([]);
  });

  it('asks whoever comes back with nonsense to look at everything again', async () => {
    const back = reader(w.as('grace').token, 'nonsense');
    await until('a reset', () => back.told.some(({ event }) => event === 'reset'));
    expect(back.told[0]!.event).toBe('reset');
  });

  it('is for who is known, and only so often at once', async () => {
    expect(await reader('hf_nobody').status).toBe(401);
    expect(await reader(w.agentToken).status).toBe(403);
    const many = await Promise.all(Array.from({ length: 25 }, () => reader(w.as('edsger').token).status));
    expect(many.filter((status) => status === 200).length).toBe(20);
    expect(many.filter((status) => status === 429).length).toBe(5);
  });

  it('ends in order at a stop, which does not wait for it', async () => {
    const open = readers.filter(({ ended }) => ended === 'no');
    expect(open.length).toBeGreaterThan(20);
    const exit = await w.installation.stop();
    expect({ code: exit.code, stderr: exit.stderr }).toEqual({ code: 0, stderr: '' });
    // Connections that outlast the time for requests under way would have been cut off.
    await until('all of them have ended', () => open.every(({ ended }) => ended !== 'no'));
    expect(open.filter(({ ended }) => ended !== 'in order')).toEqual([]);
    await w.installation.start();
    await expectProven(w.installation);
  });
});
