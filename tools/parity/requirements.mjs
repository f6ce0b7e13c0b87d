/**
 * Which scenarios of a server a requirement set scores, and which it only runs, out of what `conformance list` prints. Extensions are
 * left out: nobody has to have them.
 */
export function readRequirements(text) {
  const [required, rest = ''] = text.split(/^Run and reported, but never scored:$/m);
  const servers = /^Server scenarios[^\n]*\n((?: {2}- [^\n]+\n)+)/m.exec(required)?.[1] ?? '';
  const scored = [...servers.matchAll(/^ {2}- (\S+)/gm)].map(([, scenario]) => scenario);
  const unscored = [];
  let reason;
  for (const line of rest.split('\n')) {
    reason = /^ {2}(\S+) \(\d+\):$/.exec(line)?.[1] ?? reason;
    const scenario = /^ {4}- (\S+) \[server\]$/.exec(line)?.[1];
    if (scenario !== undefined && reason !== 'extension') unscored.push(scenario);
  }
  if (scored.length === 0) throw new Error('the suite lists no scenario for servers');
  return { scored, unscored };
}
