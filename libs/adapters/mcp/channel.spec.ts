import { describe, expect, it } from '@jest/globals';
import { idOfCut } from './channel.ts';

describe('the id of a message of which only both ends are known', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":"c1","result":{"x":"yyy', 'yyy"}}', 'c1'],
    ['{"result":{"x":"yyy', 'yyy"},"jsonrpc":"2.0","id":"c1"}', 'c1'],
    [' { "result": {"x":"yyy', 'yyy"}, "id": "c1", "jsonrpc": "2.0" } ', 'c1'],
    // What is quoted in the answer, or deeper in it, is not its id.
    ['{"result":{"x":"{\\"jsonrpc\\":\\"2.0\\",\\"id\\":\\"c2\\",', 'yyy"}}', undefined],
    ['{"result":{"x":"yyy', 'yyy\\"id\\":\\"c2\\"}"}}', undefined],
    ['{"result":{"x":"yyy', '"id":"c2"}}', undefined],
    ['{"jsonrpc":"2.0","id":7,"result":{"x":"yyy', 'yyy"}}', undefined],
    ['{"jsonrpc":"2.0","method":"x","params":{"x":"yyy', 'yyy"}}', undefined],
  ])('%s … %s', (head, tail, id) => {
    expect(idOfCut(head, tail)).toBe(id);
  });
});
