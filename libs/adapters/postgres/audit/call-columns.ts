import type { CallRow } from '#libs/audit/core';

type Kind = 'text' | 'number' | 'instant' | 'numbers';

/** Which column holds which member of a call's row; complete by type. */
export const callColumns = {
  tenant: ['tenant', 'text'],
  call: ['call', 'text'],
  state: ['state', 'text'],
  user: ['actor_user', 'text'],
  client: ['actor_client', 'text'],
  agent: ['actor_agent', 'text'],
  via: ['via', 'text'],
  run: ['run', 'text'],
  trace: ['trace', 'text'],
  server: ['server', 'text'],
  tool: ['tool', 'text'],
  exposed: ['exposed', 'text'],
  toolHash: ['tool_hash', 'text'],
  class: ['class', 'text'],
  protocol: ['protocol', 'text'],
  endpoint: ['endpoint', 'text'],
  argsDigest: ['args_digest', 'text'],
  argsBytes: ['args_bytes', 'number'],
  effect: ['effect', 'text'],
  stage: ['stage', 'text'],
  rule: ['rule', 'text'],
  code: ['code', 'text'],
  reason: ['reason', 'text'],
  policyVersion: ['policy_version', 'number'],
  policyDigest: ['policy_digest', 'text'],
  decision: ['decision', 'text'],
  broker: ['broker', 'text'],
  outcome: ['outcome', 'text'],
  errorClass: ['error_class', 'text'],
  upstreamRequest: ['upstream_request', 'text'],
  resultDigest: ['result_digest', 'text'],
  resultBytes: ['result_bytes', 'number'],
  totalUs: ['total_us', 'number'],
  policyUs: ['policy_us', 'number'],
  logUs: ['log_us', 'number'],
  upstreamUs: ['upstream_us', 'number'],
  rollback: ['rollback', 'text'],
  requestedAt: ['requested_at', 'instant'],
  decidedAt: ['decided_at', 'instant'],
  finishedAt: ['finished_at', 'instant'],
  firstIndex: ['first_index', 'number'],
  events: ['events', 'numbers'],
  eventCount: ['event_count', 'number'],
} as const satisfies Record<keyof CallRow, readonly [column: string, kind: Kind]>;

const members = Object.entries(callColumns) as [keyof CallRow, readonly [string, Kind]][];

/** A row as JSON that PostgreSQL reads by column name; what is absent becomes null there. */
export function callToColumns(row: CallRow): Record<string, unknown> {
  const columns: Record<string, unknown> = {};
  for (const [member, [column]] of members) if (row[member] !== null) columns[column] = row[member];
  return columns;
}

/** A row of audit.call as the core knows it. */
export function callFromColumns(columns: Readonly<Record<string, unknown>>): CallRow {
  const row: Record<string, unknown> = {};
  for (const [member, [column, kind]] of members) row[member] = convert(columns[column], kind);
  return row as unknown as CallRow;
}

function convert(value: unknown, kind: Kind): unknown {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return value;
    case 'number':
      return Number(value);
    case 'instant':
      return (value as Date).toISOString();
    case 'numbers':
      return (value as readonly (string | bigint)[]).map(Number);
  }
}
