export interface BannerFacts {
  readonly url: string;
  readonly data: string;
  /** Tokens of the demo tenant by person; absent with a configuration of one's own. */
  readonly demo?: Readonly<Record<string, string>>;
}

/** What a start ends its output with: everything a newcomer needs for the next step, ready to paste. */
export function banner(facts: BannerFacts): string {
  const token = facts.demo?.['agent'] ?? 'YOUR_TOKEN';
  const client = { mcpServers: { holdfast: { type: 'http', url: `${facts.url}/mcp`, headers: { Authorization: `Bearer ${token}` } } } };
  const lines = ['', 'Holdfast is ready.', '', `  console  ${facts.url}/console`, `  MCP      ${facts.url}/mcp`, `  API      ${facts.url}/api/v1   (health: ${facts.url}/readyz)`, `  data     ${facts.data}`, ''];
  if (facts.demo) {
    const width = Math.max(...Object.keys(facts.demo).map((name) => name.length));
    lines.push(`Tokens of the demo tenant (also in ${facts.data}/demo-tokens.json):`, '', ...Object.entries(facts.demo).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), '');
  }
  lines.push(
    'Client configuration to paste:',
    '',
    JSON.stringify(client, null, 2),
    '',
    'Next, in another terminal in this directory:',
    '',
    '  npx holdfast calls list      every call with its decision and outcome',
    '  npx holdfast approvals list  what waits for people',
    '  npx holdfast audit verify    recompute and compare the whole log',
    '  npx holdfast audit check     the promises, tested on your own history',
    '',
    'Ctrl-C stops in order.',
    '',
  );
  return lines.join('\n');
}
