import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type HmacHex, type InletAnswer, type SlackInlet, SlackSignatures, type SlackWorkspace } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import { type FastifyScope, registerSlackRoutes } from './slack-routes.ts';

const hmac: HmacHex = (secret, parts) => parts.reduce((made, part) => made.update(part), createHmac('sha256', secret)).digest('hex');
const workspaces = [{ tenant: 'acme', signingSecret: 'one' }, { tenant: 'globex', signingSecret: 'two' }] as unknown as readonly SlackWorkspace[];

/** The routes on a real Fastify; what they hand on is noted, and answered as a spec wants. */
describe('the routes of Slack', () => {
  const adapter = new FastifyAdapter();
  const handed: { readonly what: unknown; readonly from: readonly boolean[] }[] = [];
  const denied: string[] = [];
  const faults: unknown[] = [];
  let answer: () => Promise<InletAnswer> = async () => null;
  let url = '';
  const note = (what: unknown, from: (workspace: SlackWorkspace) => boolean): Promise<InletAnswer> => {
    handed.push({ what, from: workspaces.map(from) });
    return answer();
  };

  beforeAll(async () => {
    const scope = adapter.getInstance() as unknown as FastifyScope;
    await scope.register(async (own) => {
      registerSlackRoutes(own, {
        inlet: { interaction: note, command: note } as unknown as SlackInlet,
        signatures: new SlackSignatures(hmac),
        workspaces: { all: () => workspaces, ofTenant: () => undefined, ofTeam: () => undefined },
        now: Date.now,
        onDenied: (refusal, ip) => denied.push(`${refusal.code} ${ip}`),
        onFault: (error) => faults.push(error),
      });
    });
    await new Promise<void>((resolve) => adapter.listen(0, '127.0.0.1', () => resolve()));
    url = `http://127.0.0.1:${(adapter.getHttpServer().address() as { port: number }).port}`;
  });
  afterAll(() => adapter.close());
  beforeEach(() => {
    answer = async () => null;
    for (const list of [handed, denied, faults]) list.length = 0;
  });

  const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, secret = 'two') => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
    const response = await fetch(`${url}/slack/${path}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature, ...headers }, body });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  const payload = (n: number): string => new URLSearchParams({ payload: JSON.stringify({ n }) }).toString();

  it('hand on what is signed, with the word of whose secret it was', async () => {
    expect(await post('interactions', payload(1))).toEqual({ status: 200, type: null, body: '' });
    answer = async () => ({ response_type: 'ephemeral', text: 'hello' });
    expect(await post('commands', 'text=help&user_id=U1', {}, 'one')).toEqual({ status: 200, type: 'application/json; charset=utf-8', body: '{"response_type":"ephemeral","text":"hello"}' });
    expect(handed).toEqual([{ what: { n: 1 }, from: [false, true] }, { what: { text: 'help', user_id: 'U1' }, from: [true, false] }]);
    expect(await post('commands', 'ssl_check=1')).toMatchObject({ status: 200, body: '' });
    expect(handed).toHaveLength(2);
  });

  it('read nothing before the signature is good, and tell of each that is not', async () => {
    expect(await post('interactions', payload(2), {}, 'three')).toMatchObject({ status: 401, type: expect.stringContaining('application/problem+json'), body: expect.stringContaining('"signature_invalid"') });
    expect((await post('commands', 'text=help', { 'x-slack-signature': 'v0=' })).status).toBe(401);
    // Not even JSON: who has no signature does not learn that.
    expect((await post('interactions', 'payload={', {}, 'three')).status).toBe(401);
    expect([handed, denied.map((line) => line.split(' ')[0])]).toEqual([[], Array(3).fill('signature_invalid')]);
    expect((await post('interactions', 'payload={')).status).toBe(400);
    expect((await post('interactions', 'other=1')).status).toBe(400);
    expect((await post('interactions', new Uint8Array([0x70, 0xff, 0xfe]))).status).toBe(400);
    expect(denied).toHaveLength(3);
  });

  it('take a body by its bytes whatever it is called, and not above 512 KiB', async () => {
    expect((await post('interactions', payload(3), { 'content-type': 'application/json' })).status).toBe(200);
    expect(await post('interactions', `payload=${'x'.repeat(512 << 10)}`)).toMatchObject({ status: 413, body: expect.stringContaining('body_too_large') });
    expect(handed).toHaveLength(1);
  });

  it('say refusals with their code and nothing of faults', async () => {
    answer = () => Promise.reject(new Refusal('overloaded'));
    expect(await post('interactions', payload(4))).toMatchObject({ status: 503, body: expect.stringContaining('"overloaded"') });
    answer = () => Promise.reject(new Error('password=1'));
    const { status, body } = await post('interactions', payload(5));
    expect([status, body]).toEqual([500, expect.not.stringContaining('password')]);
    expect(faults).toEqual([new Error('password=1')]);
  });
});
