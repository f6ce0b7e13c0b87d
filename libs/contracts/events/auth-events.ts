import { z } from 'zod';
import { At } from './approval-shapes.ts';
import { defineEvent } from './define-event.ts';

export const authDenied = defineEvent({
  type: 'auth.denied',
  version: 1,
  owner: 'broker',
  sentence: 'Authentication failed; a flood of the same failure from the same address is counted in one event.',
  sealed: [],
  data: z.strictObject({ code: z.string(), endpoint: z.string(), key: z.string().optional(), count: z.int().min(1) }),
});

export const authSessionOpened = defineEvent({
  type: 'auth.session_opened',
  version: 1,
  owner: 'broker',
  sentence: 'A client opened an MCP session.',
  sealed: [],
  data: z.strictObject({ session: z.string(), protocol: z.string(), endpoint: z.string(), claimedClient: z.string().optional() }),
});

export const authSessionClosed = defineEvent({
  type: 'auth.session_closed',
  version: 1,
  owner: 'broker',
  sentence: 'A client ended its MCP session.',
  sealed: [],
  data: z.strictObject({ session: z.string() }),
});

const accountLink = { at: At, person: z.string().max(300), provider: z.enum(['slack']), team: z.string().max(64) };

export const authAccountLinked = defineEvent({
  type: 'auth.account_linked',
  version: 1,
  owner: 'approvals',
  sentence: 'A signed-in person linked an account elsewhere to themselves: what it says counts as their word from now on.',
  sealed: ['/account'],
  data: z.strictObject(accountLink),
});

export const authAccountUnlinked = defineEvent({
  type: 'auth.account_unlinked',
  version: 1,
  owner: 'approvals',
  sentence: 'The link of an account elsewhere to a person ended.',
  sealed: ['/account'],
  data: z.strictObject(accountLink),
});
