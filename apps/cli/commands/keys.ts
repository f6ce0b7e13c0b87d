import { createHash, randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';

const LINE = { id: 'NAME', tenant: 'TENANT', user: 'USER', client: 'CLIENT', agent: 'AGENT', roles: ['agent'] };

export const keysCreate: Command = {
  name: 'keys create',
  sentence: 'Make a new API key: a token to hand out once, and the entry for holdfast.yaml, which holds only its SHA-256.',
  example: 'holdfast keys create',
  run: ({ to }) => {
    const token = `hf_${randomBytes(32).toString('base64url')}`;
    const sha256 = createHash('sha256').update(token).digest('hex');
    if (to.json) {
      to.out(`${JSON.stringify({ token, sha256 })}\n`);
      return Promise.resolve(EXIT.ok);
    }
    const { id, roles, ...rest } = LINE;
    const entry = Object.entries({ id, ...rest })
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ');
    to.out(`token (shown only now):\n  ${token}\n\nunder identity.keys in holdfast.yaml:\n  - { ${entry}, roles: [${roles.join(', ')}], sha256: ${sha256} }\n`);
    return Promise.resolve(EXIT.ok);
  },
};
