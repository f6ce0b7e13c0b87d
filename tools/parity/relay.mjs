// Holdfast in front of one upstream, with one key and a policy that allows everything: nothing but a relay, if it relays well.
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHoldfast } from '../start-holdfast.mjs';

export async function startRelay({ directory, upstreamUrl, signal }) {
  const token = `hf_${randomBytes(32).toString('base64url')}`;
  const tenant = 'parity';
  const config = join(directory, 'holdfast.yaml');
  const configuration = {
    apiVersion: 'holdfast/v1',
    tenants: [{ id: tenant, name: 'Parity' }],
    identity: {
      users: [{ id: 'suite', tenant }],
      keys: [{ id: 'suite-key', tenant, user: 'suite', client: 'conformance', roles: ['agent'], sha256: createHash('sha256').update(token).digest('hex') }],
    },
    servers: [{ id: 'everything', tenant, transport: { type: 'http', url: upstreamUrl }, trust: 'open' }],
    policies: [{ id: 'allow-all', tenant, effect: 'allow' }],
  };
  writeFileSync(config, JSON.stringify(configuration, null, 2));
  const holdfast = await startHoldfast({ directory, env: { HOLDFAST_CONFIG: config }, signal });
  return { url: holdfast.url, token, stop: holdfast.stop };
}
