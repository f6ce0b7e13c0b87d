import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { Digest } from './envelope.ts';

export const configApplied = defineEvent({
  type: 'config.applied',
  version: 1,
  owner: 'approvals',
  sentence: 'A configuration revision was accepted; revisions are immutable and kept.',
  sealed: [],
  data: z.strictObject({ revision: z.int().min(1), digest: Digest, previous: Digest.nullable(), source: z.enum(['start', 'api']) }),
});

const serverFacts = { server: z.string(), transport: z.enum(['http', 'sse', 'stdio', 'openapi']), digest: Digest, owner: z.string().optional() };

export const serverRegistered = defineEvent({
  type: 'server.registered',
  version: 1,
  owner: 'approvals',
  sentence: 'An upstream MCP server became known to the tenant.',
  sealed: [],
  data: z.strictObject(serverFacts),
});

export const serverChanged = defineEvent({
  type: 'server.changed',
  version: 1,
  owner: 'approvals',
  sentence: "A registered server's configuration changed.",
  sealed: [],
  data: z.strictObject(serverFacts),
});

export const serverDisabled = defineEvent({
  type: 'server.disabled',
  version: 1,
  owner: 'approvals',
  sentence: 'A server was taken out of the configuration; its tools can no longer be called.',
  sealed: [],
  data: z.strictObject({ server: z.string() }),
});
