import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcceptedDifferences } from './spec/acceptance.ts';
import { ACCEPTED, ACROSS_ERAS } from './spec/accepted-differences.ts';
import { differences } from './spec/answer-differences.ts';
import { type CorpusCase, hello, LEGACY, POST_HEADERS } from './spec/corpus.ts';
import { HTTP_CASES } from './spec/corpus-http.ts';
import { LEGACY_CASES } from './spec/corpus-legacy.ts';
import { MODERN_CASES } from './spec/corpus-modern.ts';
import { type HoldfastEdge, startHoldfastEdge } from './spec/holdfast-edge.ts';
import { type RawAnswer, send } from './spec/raw-http.ts';
import { startStockServer, type StockServer } from './spec/stock-server.ts';

/**
 * The path of a call is our own (docs/adr/0002), so it has to answer as the official handlers do: one corpus of requests goes to both,
 * and what differs must stand in the table of accepted differences. A row of that table that nothing needs fails as well.
 */
const CASES = [...MODERN_CASES, ...LEGACY_CASES, ...HTTP_CASES];

let stock: StockServer;
let older: StockServer;
let edge: HoldfastEdge;

beforeAll(async () => {
  [stock, older] = await Promise.all([startStockServer(), startStockServer('legacy')]);
  edge = await startHoldfastEdge({ sample: `http://127.0.0.1:${stock.port}/mcp`, older: `http://127.0.0.1:${older.port}/mcp` });
});

afterAll(async () => {
  await edge.close();
  await Promise.all([stock.close(), older.close()]);
});

const directly = (one: CorpusCase): Promise<RawAnswer> => answer(stock.port, '/mcp', {}, one);
const through = (server: 'sample' | 'older', one: CorpusCase): Promise<RawAnswer> =>
  answer(edge.port, `/mcp/s/${server}`, { authorization: `Bearer ${edge.token}` }, one);

async function answer(port: number, path: string, more: Readonly<Record<string, string>>, { request, session }: CorpusCase): Promise<RawAnswer> {
  const headers: Record<string, string> = { ...more, ...request.headers };
  if (session) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'open', method: 'initialize', params: hello(LEGACY) });
    const opened = await send(port, { path, method: 'POST', headers: { ...more, ...POST_HEADERS }, body });
    headers['mcp-session-id'] = String(opened.headers['mcp-session-id']);
    if (session === 'ended') await send(port, { path, method: 'DELETE', headers: { ...more, 'mcp-session-id': headers['mcp-session-id'] } });
  }
  return send(port, { ...request, path, headers });
}

describe('the edge and the stock handler, with the same server behind them', () => {
  const accepted = new AcceptedDifferences(ACCEPTED);

  it.each(CASES.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const [theirs, ours] = [await directly(one), await through(one.era === 'modern' ? 'sample' : 'older', one)];
    expect(accepted.remaining(name, differences(theirs, ours, one.exact))).toEqual([]);
  });

  it('differ in everything that is accepted', () => {
    expect(accepted.unneeded()).toEqual([]);
  });
});

describe('a client of the older era at a server that the edge speaks to in the newer one', () => {
  const across = new AcceptedDifferences(ACROSS_ERAS);
  const same = new AcceptedDifferences(ACCEPTED);

  it.each(LEGACY_CASES.filter(({ exact }) => exact).map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const found = differences(await directly(one), await through('sample', one), one.exact);
    expect(across.remaining(name, same.remaining(name, found))).toEqual([]);
  });

  it('gets everything that is accepted', () => {
    expect(across.unneeded()).toEqual([]);
  });
});

it('nothing that was sent made anything fail inside', () => {
  expect(edge.faults).toEqual([]);
});

it('the corpus has no two requests of one name', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});
