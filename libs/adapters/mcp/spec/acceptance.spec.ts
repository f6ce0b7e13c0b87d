import { describe, expect, it } from '@jest/globals';
import { AcceptedDifferences, ANY } from './acceptance.ts';
import { differences } from './answer-differences.ts';
import type { RawAnswer } from './raw-http.ts';

const json = (body: string, more: Partial<RawAnswer> = {}): RawAnswer => ({ status: 200, headers: { 'content-type': 'application/json' }, body, ...more });
const result = (text: string): RawAnswer => json(`{"jsonrpc":"2.0","id":1,"result":${text}}`);
const stream = (...messages: string[]): RawAnswer => json(messages.map((text) => `event: message\ndata: ${text}\n\n`).join(''), { headers: { 'content-type': 'text/event-stream' } });
const places = (stock: RawAnswer, ours: RawAnswer, exact = false): string[] => differences(stock, ours, exact).map(({ at }) => at);

describe('differences', () => {
  it.each<[string, RawAnswer, RawAnswer, string[]]>([
    ['nothing', result('{"a":1}'), result('{ "a": 1 }'), []],
    ['the order of members', result('{"a":1,"b":2}'), result('{"b":2,"a":1}'), []],
    ['the way a type is written', result('{}'), json(result('{}').body, { headers: { 'content-type': 'application/json; charset=utf-8' } }), []],
    ['a status', result('{}'), json(result('{}').body, { status: 201 }), ['status']],
    ['a value deep inside', result('{"a":{"b":[1,2]}}'), result('{"a":{"b":[1,3]}}'), ['result.a.b']],
    ['a member that one side lacks', result('{}'), result('{"a":null}'), ['result.a']],
    ['the type of an id', json('{"jsonrpc":"2.0","id":1,"result":{}}'), json('{"jsonrpc":"2.0","id":"1","result":{}}'), ['id']],
    ['a result and an error', result('{}'), json('{"jsonrpc":"2.0","id":1,"error":{}}'), ['answer']],
    ['a result and a failed one', result('{}'), result('{"isError":true}'), ['answer']],
    ['a message that is missing', stream('{"method":"a"}', '{"id":1,"result":{}}'), stream('{"id":1,"result":{}}'), ['messages']],
    ['messages in another order', stream('{"method":"a"}', '{"method":"b"}'), stream('{"method":"b"}', '{"method":"a"}'), ['message 1: answer', 'message 2: answer']],
    ['a session id', result('{}'), json(result('{}').body, { headers: { 'content-type': 'application/json', 'mcp-session-id': 'x' } }), ['session id']],
    ['what is no JSON', json('a'), json('b'), ['']],
  ])('find what differs, and nothing else: %s', (_, stock, ours, expected) => {
    expect(places(stock, ours)).toEqual(expected);
  });

  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['{"a":"é"}', '{"a":"\\u00e9"}'],
    ['{"a":1.0}', '{"a":1}'],
    ['{"a":1}', '{"a": 1}'],
  ])('tells %s from %s where results must be the same text', (one, other) => {
    expect(places(result(one), result(other), true)).toEqual(['result, as text']);
  });
});

describe('accepted differences', () => {
  const difference = (at: string, stock: unknown, ours: unknown): { at: string; stock: unknown; ours: unknown } => ({ at, stock, ours });

  it('are taken away where all of a row fits, in any message', () => {
    const table = new AcceptedDifferences([{ reason: 'r', cases: ['x'], seen: [['status', 200, 400], ['result.ttlMs', 0, ANY]] }]);
    expect(table.remaining('x', [difference('status', 200, 400), difference('message 2: result.ttlMs', 0, 7)])).toEqual([]);
    expect(table.unneeded()).toEqual([]);
    const others = [difference('status', 200, 500), difference('allow', 200, 400), difference('result.ttlMs', 1, 7)];
    expect(table.remaining('x', others)).toEqual(others);
    expect(table.remaining('y', [difference('status', 200, 400)])).toHaveLength(1);
  });

  it('tell which parts of the table nothing needed', () => {
    const table = new AcceptedDifferences([{ reason: 'r', cases: ['x', 'y'], seen: [['status', 200, 400], ['allow', ANY, ANY]] }]);
    table.remaining('x', [difference('status', 200, 400)]);
    expect(table.unneeded()).toEqual(['r: allow', 'r: y']);
  });
});
