import type { Explained } from './explain-issue.ts';
import type { ConfigPath } from './problem.ts';

type Entry = { readonly value: Readonly<Record<string, unknown>>; readonly path: ConfigPath };

const SECRET_VARIABLE = /token|secret|passw|credential|api[-_]?key|private[-_]?key/i;

/**
 * What no schema can say: ids are unique within their tenant, and what is named exists. It reads the raw value, valid or not, so
 * that one run tells about these beside everything else. `lineOf` serves to name the other place of a pair.
 */
export function checkReferences(root: unknown, lineOf: (path: ConfigPath) => number): Explained[] {
  const tenants = entries(root, 'tenants');
  const users = entries(root, 'identity', 'users');
  const keys = entries(root, 'identity', 'keys');
  const agents = entries(root, 'agents');
  const servers = entries(root, 'servers');
  const policies = entries(root, 'policies');
  const flows = entries(root, 'flows');
  const slack = entries(root, 'notify', 'slack');
  const problems: Explained[] = [];

  /** Finds entries whose `field` is that of an earlier one, in the same tenant unless it has none. */
  const unique = (list: readonly Entry[], field: string, message: string): void => {
    const first = new Map<string, Entry>();
    for (const entry of list) {
      const value = entry.value[field];
      if (typeof value !== 'string') continue;
      const name = JSON.stringify([entry.value['tenant'], value]);
      const earlier = first.get(name);
      if (earlier) problems.push({ path: [...entry.path, field], message: `${message}; the other one is on line ${lineOf([...earlier.path, field])}` });
      else first.set(name, entry);
    }
  };
  unique(tenants, 'id', 'two tenants have this id');
  unique(users, 'id', 'two users of this tenant have this id');
  unique(keys, 'id', 'two keys of this tenant have this id');
  unique(keys.map(({ value, path }) => ({ value: { sha256: value['sha256'] }, path })), 'sha256', 'two keys are the same token');
  unique(agents, 'id', 'two agents of this tenant have this id');
  unique(servers, 'id', 'two servers of this tenant have this id');
  unique(policies, 'id', 'two policies of this tenant have this id');
  unique(flows, 'id', 'two flows of this tenant have this id');
  unique(slack.map(({ value, path }) => ({ value: { tenant: value['tenant'] }, path })), 'tenant', 'two Slack apps are given for this tenant');
  // One app in one workspace speaks for one tenant: what comes from there must not be anybody else's.
  unique(slack.map(({ value, path }) => ({ value: { teamId: typeof value['appId'] === 'string' && typeof value['teamId'] === 'string' ? `${value['appId']} ${value['teamId']}` : undefined }, path })), 'teamId', 'this app in this workspace is given twice');
  for (const flow of flows) unique(entries(flow.value, 'steps').map(({ value, path }) => ({ value, path: [...flow.path, ...path] })), 'name', 'two steps of this flow have this name');

  const declared = new Set(tenants.map(({ value }) => value['id']));
  for (const { value, path } of [users, keys, agents, servers, policies, flows, slack].flat()) {
    if (typeof value['tenant'] === 'string' && !declared.has(value['tenant'])) problems.push({ path: [...path, 'tenant'], message: 'no such tenant stands under tenants' });
  }

  /** Checks that `named` is the id of one of `list` in the tenant of the entry. */
  const exists = (entry: Entry, field: ConfigPath, named: unknown, list: readonly Entry[], what: string): void => {
    if (typeof named !== 'string') return;
    const found = list.some(({ value }) => value['id'] === named && value['tenant'] === entry.value['tenant']);
    if (!found) problems.push({ path: [...entry.path, ...field], message: `no such ${what} in this tenant` });
  };
  for (const key of keys) {
    exists(key, ['user'], key.value['user'], users, 'user');
    const named = key.value['servers'];
    if (Array.isArray(named)) for (const [index, server] of named.entries()) exists(key, ['servers', index], server, servers, 'server');
  }
  for (const agent of agents) exists(agent, ['owner'], agent.value['owner'], users, 'user');
  for (const policy of policies) exists(policy, ['flow'], policy.value['flow'], flows, 'flow');

  for (const { value, path } of flows) {
    if (!Array.isArray(value['channels']) || slack.some((entry) => entry.value['tenant'] === value['tenant'])) continue;
    for (const [index, channel] of value['channels'].entries()) {
      if (typeof channel === 'string' && channel.startsWith('slack:')) problems.push({ path: [...path, 'channels', index], message: 'no Slack app of this tenant stands under notify.slack' });
    }
  }

  for (const server of servers) {
    for (const [name, value] of Object.entries(record(record(server.value['transport'])['env']))) {
      if (typeof value !== 'string' || value === '' || !SECRET_VARIABLE.test(name)) continue;
      problems.push({ path: [...server.path, 'transport', 'env', name], message: 'this looks like a secret, and a secret never stands in this file: write { secretRef: env:NAME }' });
    }
  }
  return problems;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function entries(root: unknown, ...path: readonly string[]): Entry[] {
  const list = path.reduce<unknown>((value, step) => record(value)[step], root);
  return Array.isArray(list) ? list.map((value: unknown, index) => ({ value: record(value), path: [...path, index] })) : [];
}
