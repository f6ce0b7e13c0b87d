import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import { ConsoleSessions, isFormToken } from './console-sessions.ts';

const HOUR = 3_600_000;
const grace: Principal = { tenant: 'acme', user: 'grace', client: 'console', roles: ['approver'], groups: [], key: 'k' };
const robot: Principal = { ...grace, agent: 'bot', roles: ['agent', 'approver'] };

describe('a console session', () => {
  let now: number;
  let keys: Map<string, Principal>;
  let ended: Set<string>;
  let sessions: ConsoleSessions;
  beforeEach(() => {
    now = 1_800_000_000_000;
    ended = new Set();
    keys = new Map([['good', grace], ['robot', robot]].map(([token, principal]) => [createHash('sha256').update(token as string).digest('hex'), principal as Principal]));
    const recognise = (digest: string): Principal => {
      const found = keys.get(digest);
      if (!found) throw new Refusal('token_unknown');
      return found;
    };
    sessions = new ConsoleSessions({
      box: { seal: (text) => Buffer.from(text).toString('base64url'), open: (sealed) => (sealed.startsWith('ey') ? Buffer.from(sealed, 'base64url').toString() : null) },
      authenticator: { recognise, authenticate: (authorization) => recognise(createHash('sha256').update(authorization!.slice('Bearer '.length)).digest('hex')) },
      ended: { end: (id) => Promise.resolve(void ended.add(id)), isEnded: (id) => Promise.resolve(ended.has(id)), sweep: () => Promise.resolve(0) },
      clock: { now: () => now },
    });
  });
  const cookie = (header: string): string => header.split(';')[0]!;
  const code = (asked: Promise<unknown>): Promise<unknown> => asked.then((found) => (found === null ? null : 'session'), (error: unknown) => (error as Refusal).code);

  it('is its person, hidden from scripts and from other sites, and holds no token', async () => {
    const { cookie: header } = sessions.signIn('good', true);
    expect(header).toMatch(/; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/);
    expect(Buffer.from(cookie(header).split('=')[1]!, 'base64url').toString()).not.toContain('good');
    const session = (await sessions.current(`other=1; ${cookie(header)}`))!;
    expect(session.principal).toBe(grace);
    expect([isFormToken(session, session.formToken), isFormToken(session, `${session.formToken}x`), isFormToken(session, undefined), isFormToken(session, '')]).toEqual([true, false, false, false]);
  });

  it('is not opened by strangers and agents', () => {
    expect(() => sessions.signIn('bad', false)).toThrow(new Refusal('token_unknown'));
    expect(() => sessions.signIn('robot', false)).toThrow(/agent/);
  });

  it('ends with its twelve hours, with its key, with a sign-out, and is nothing when it is forged or doubled', async () => {
    const header = cookie(sessions.signIn('good', false).cookie);
    expect(await code(sessions.current(undefined))).toBeNull();
    expect(await code(sessions.current('holdfast_session='))).toBeNull();
    expect(await code(sessions.current('holdfast_session=forged'))).toBe('session_ended');
    expect(await code(sessions.current(`${header}; ${header}`))).toBeNull();
    now += 12 * HOUR - 1;
    expect(await code(sessions.current(header))).toBe('session');
    now += 1;
    expect(await code(sessions.current(header))).toBe('session_ended');
    now -= HOUR;
    const digest = [...keys.keys()][0]!;
    keys.delete(digest);
    expect(await code(sessions.current(header))).toBe('session_ended');
    keys.set(digest, grace);
    const session = (await sessions.current(header))!;
    expect(await sessions.signOut(session)).toContain('Max-Age=0');
    expect(await code(sessions.current(header))).toBe('session_ended');
  });
});
