// The suite's scenarios about tasks. No server behind Holdfast has tasks here: Holdfast makes them, of the calls that people have to approve.
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHoldfast } from '../start-holdfast.mjs';
import { startApprover } from './approver.mjs';

const TENANT = 'parity';
const LONGEST_CHORE_MS = 90_000;

/** Holdfast in front of the chores server, and somebody who approves whatever is held. */
export async function startTasks({ directory, upstreamUrl, signal }) {
  const [agent, lead] = [newToken(), newToken()];
  const key = (id, user, client, roles, token) => ({ id, tenant: TENANT, user, client, roles, sha256: createHash('sha256').update(token).digest('hex') });
  const held = (id, tools, more = {}) => ({ id, tenant: TENANT, effect: 'require_approval', match: { tools }, flow: 'leads', ...more });
  const configuration = {
    apiVersion: 'holdfast/v1',
    tenants: [{ id: TENANT, name: 'Parity' }],
    identity: {
      users: [
        { id: 'suite', tenant: TENANT },
        { id: 'lead', tenant: TENANT, roles: ['approver'] },
      ],
      keys: [key('suite-key', 'suite', 'conformance', ['agent'], agent), key('lead-key', 'lead', 'approver', ['approver', 'operator'], lead)],
    },
    servers: [{ id: 'chores', tenant: TENANT, transport: { type: 'http', url: upstreamUrl }, trust: 'open', limits: { timeoutMs: LONGEST_CHORE_MS } }],
    policies: [
      { id: 'allow-all', tenant: TENANT, effect: 'allow' },
      held('chores', ['slow_compute', 'protocol_error_job', 'confirm_delete', 'multi_input']),
      held('only-tasks', ['failing_job'], { tasks: 'required' }),
      // Says what it wants first, and does nothing before it has it.
      held('once-answered', ['test_tool_with_task'], { when: "context.input == 'given'" }),
    ],
    flows: [{ id: 'leads', tenant: TENANT, steps: [{ name: 'lead', approvers: { users: ['lead'] } }] }],
  };
  const config = join(directory, 'holdfast.yaml');
  writeFileSync(config, JSON.stringify(configuration, null, 2));
  const holdfast = await startHoldfast({ directory, env: { HOLDFAST_CONFIG: config }, signal });
  const approver = startApprover(holdfast.url, lead);
  const stop = async () => {
    await approver.stop();
    return holdfast.stop();
  };
  return { url: holdfast.url, token: agent, stop };
}

/** Every check of these scenarios must pass; what may not stands in the list of what is allowed. */
export async function runTasks({ suite, only, url }) {
  const verdicts = [];
  for (const scenario of suite.scenarios('tasks-').filter((one) => only === undefined || one === only)) {
    process.stderr.write(`parity: ${scenario}: `);
    verdicts.push(...(await suite.extension(scenario, url)));
    process.stderr.write('\n');
  }
  return verdicts;
}

function newToken() {
  return `hf_${randomBytes(32).toString('base64url')}`;
}
