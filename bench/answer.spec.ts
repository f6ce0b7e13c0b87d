import { describe, expect, it } from '@jest/globals';
import { judgeAnswer } from './answer.ts';

const sent = { id: 7, payload: 'run-3-41' };
const json = (body: unknown, status = 200) => ({ status, contentType: 'application/json', text: typeof body === 'string' ? body : JSON.stringify(body) });
const result = (value: unknown, id: unknown = 7) => json({ jsonrpc: '2.0', id, result: value });

describe('judgeAnswer', () => {
  it.each([
    ['the payload in the content', result({ content: [{ type: 'text', text: 'Echo: run-3-41' }] }), 'answered'],
    ['the payload in structured content only', result({ content: [], structuredContent: { message: 'run-3-41' } }), 'answered'],
    ['the payload of another call', result({ content: [{ type: 'text', text: 'run-3-42' }] }), 'mismatched'],
    ['the id of another call', result({ content: [{ type: 'text', text: 'run-3-41' }] }, 8), 'mismatched'],
    ['the id as a string', result({ content: [{ type: 'text', text: 'run-3-41' }] }, '7'), 'mismatched'],
    ['an empty result', result({}), 'mismatched'],
    ['a refusal by its first line', result({ isError: true, content: [{ type: 'text', text: 'NOT EXECUTED: policy' }] }), 'refused'],
    ['a failing tool', result({ isError: true, content: [{ type: 'text', text: 'run-3-41 failed' }] }), 'tool_error'],
    ['a server error of its own', json({ jsonrpc: '2.0', id: 7, error: { code: -32010, message: 'log away' } }, 503), 'refused'],
    ['a protocol error', json({ jsonrpc: '2.0', id: 7, error: { code: -32602, message: 'no' } }), 'rpc_error'],
    ['a bare status', json('', 502), 'http_error'],
    ['a text that is no JSON', json('<html>'), 'mismatched'],
    ['JSON that is no message', json('null'), 'mismatched'],
  ])('%s', (_, received, kind) => {
    expect(judgeAnswer(sent, received).kind).toBe(kind);
  });

  it('finds the answer among server-sent events', () => {
    const text = `: hello\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\nevent: message\r\ndata: {"jsonrpc":"2.0","id":7,\r\ndata: "result":{"content":[{"type":"text","text":"run-3-41"}]}}\r\n\r\n`;
    expect(judgeAnswer(sent, { status: 200, contentType: 'text/event-stream; charset=utf-8', text })).toEqual({ kind: 'answered' });
  });

  it('names the call and the code of a refusal, and never its text', () => {
    const refused = result({ isError: true, content: [{ type: 'text', text: 'NOT EXECUTED: run-3-41' }], _meta: { 'dev.holdfast/call': { callId: 'c1', code: 'policy_denied' } } });
    expect(judgeAnswer(sent, refused)).toEqual({ kind: 'refused', detail: 'policy_denied', callId: 'c1' });
  });
});
