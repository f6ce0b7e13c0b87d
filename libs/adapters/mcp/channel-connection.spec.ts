import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type PeerRequest, UpstreamUnavailable } from '#libs/broker/core';
import { ChannelConnection } from './channel-connection.ts';
import type { Channel, ChannelEvents } from './channel.ts';
import { call, client, serverAt, until } from './spec/http-servers.ts';

interface Told {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

const open: ChannelConnection[] = [];

/** A connection to a server of the older era that answers as `answer` says; undefined: it dies. */
function connection(answer: (message: Told) => object | undefined | 'nothing'): { connection: ChannelConnection; starts: () => number; told: Told[]; say: (message: object) => void } {
  let starts = 0;
  const told: Told[] = [];
  let current: ChannelEvents | undefined;
  const start = async (events: ChannelEvents): Promise<Channel> => {
    starts++;
    current = events;
    return {
      send: (text) => {
        const message = JSON.parse(text) as Told;
        told.push(message);
        if (message.id === undefined || message.method === undefined) return { kind: 'sent' };
        const { id, method } = message;
        const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { resources: { subscribe: true } }, serverInfo: {} } : answer(message);
        setImmediate(() => {
          if (result === undefined) events.closed('it died');
          else if (result !== 'nothing') events.message(JSON.stringify({ jsonrpc: '2.0', id, result }));
        });
        return { kind: 'sent' };
      },
      close: async () => undefined,
    };
  };
  const made = new ChannelConnection(serverAt(0, { key: 'channel' }), start, 'legacy', { clientInfo: { name: 'holdfast', version: '0' }, resolveSecret: () => 'unused' }, () => undefined);
  open.push(made);
  return { connection: made, starts: () => starts, told, say: (message) => current!.message(JSON.stringify({ jsonrpc: '2.0', ...message })) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close(0)));
});

describe('a server that everybody shares', () => {
  it('that dies of being asked to tell updates again does nothing to us', async () => {
    let dies = false;
    const { connection: server, starts } = connection(({ method }) => (method === 'resources/subscribe' && !dies ? {} : undefined));
    for (const uri of ['x:1', 'x:2', 'x:3']) expect((await server.watch(uri)).kind).toBe('result');
    dies = true;
    expect(await server.unwatch('x:3')).toEqual({ kind: 'lost', reason: 'broken' });
    await until(() => starts() >= 3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await server.watch('x:4')).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await expect(server.describe()).rejects.toThrow(UpstreamUnavailable);
  });

  it('never asks one client what it wants to know of another one, who cannot be asked', async () => {
    const { connection: server, told, say } = connection(() => 'nothing');
    const asked: PeerRequest[] = [];
    const ask = async (request: PeerRequest): Promise<{ result: string }> => {
      asked.push(request);
      return { result: '{"action":"accept"}' };
    };
    const [mute, other] = [new Cancellation(), new Cancellation()];
    const answers = [server.call(call({ client: client(), cancellation: mute })), server.call(call({ client: client({ ask }), cancellation: other }))];
    await until(() => told.filter(({ method }) => method === 'tools/call').length === 2);
    say({ id: 'q', method: 'elicitation/create', params: { message: 'Delete what is yours?' } });
    await until(() => told.some(({ id }) => id === 'q'));
    expect([asked, told.at(-1)]).toEqual([[], { jsonrpc: '2.0', id: 'q', error: { code: -32601, message: expect.stringContaining('Several') } }]);
    mute.cancel('stopped');
    await answers[0];
    say({ id: 'q2', method: 'elicitation/create', params: {} });
    await until(() => asked.length === 1);
    other.cancel('stopped');
    await answers[1];
  });
});
