import { describe, expect, it } from '@jest/globals';
import { Conversations } from './conversations.ts';
import type { LegacySession } from './legacy-session.ts';

/** Sessions that say when they are opened and closed. */
function sessions(max: number): { conversations: Conversations; log: string[] } {
  const log: string[] = [];
  const open = async (conversation: string): Promise<LegacySession> => {
    log.push(`+${conversation}`);
    if (conversation === 'broken') throw new Error('no');
    return { close: async () => void log.push(`-${conversation}`) } as LegacySession;
  };
  return { conversations: new Conversations({ open }, max), log };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the sessions of conversations', () => {
  it('are bounded: the one that was not used for longest makes room, unless it is in use', async () => {
    const { conversations, log } = sessions(2);
    const a = conversations.enter('a', {})!;
    conversations.leave(conversations.enter('b', {})!);
    const c = conversations.enter('c', {})!;
    await settled();
    expect(log).toEqual(['+a', '+b', '+c', '-b']);
    expect(conversations.enter('d', {})).toBeUndefined();
    conversations.leave(c);
    conversations.leave(a);
    conversations.leave(conversations.enter('a', {})!);
    conversations.leave(conversations.enter('d', {})!);
    await settled();
    expect(log.slice(4)).toEqual(['+d', '-c']);
    await conversations.close();
    expect(log.slice(6).sort()).toEqual(['-a', '-d']);
  });

  it('that are over end with their last call, and the next one is another', async () => {
    const { conversations, log } = sessions(2);
    const a = conversations.enter('a', {})!;
    conversations.end('a');
    const next = conversations.enter('a', {})!;
    await settled();
    expect([log, next === a]).toEqual([['+a', '+a'], false]);
    conversations.leave(a);
    await settled();
    expect(log).toEqual(['+a', '+a', '-a']);
    await conversations.close();
  });

  it('that could not be opened are not kept', async () => {
    const { conversations, log } = sessions(2);
    for (let i = 0; i < 3; i++) {
      const own = conversations.enter('broken', {})!;
      await expect(own.opened).rejects.toThrow('no');
      conversations.leave(own);
    }
    expect(log).toEqual(['+broken', '+broken', '+broken']);
    await conversations.close();
  });
});
