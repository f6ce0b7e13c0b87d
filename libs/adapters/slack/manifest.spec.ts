import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), 'utf8');

interface Manifest {
  readonly features: { readonly slash_commands: readonly { readonly command: string; readonly url: string; readonly usage_hint: string }[] };
  readonly oauth_config: { readonly scopes: { readonly bot: readonly string[] } };
  readonly settings: { readonly interactivity: { readonly request_url: string } };
}

/** Scopes that each method of the Web API needs, as Slack documents them. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'views.open': [],
  'conversations.open': ['im:write'],
  'conversations.list': ['channels:read', 'groups:read'],
  'conversations.history': ['channels:history', 'groups:history', 'im:history'],
  'users.info': ['users:read', 'users:read.email'],
};

describe('the manifest in docs/slack.md', () => {
  const document = read('docs', 'slack.md');
  const manifest = JSON.parse(/```json\n([\s\S]*?)\n```/.exec(document)![1]!) as Manifest;

  it('asks for the scopes that the methods in use need, says what for, and asks for no other', () => {
    const sources = readdirSync(join(root, 'libs', 'adapters', 'slack')).filter((file) => file.endsWith('.ts') && !file.includes('.spec.'));
    const used = new Set(sources.flatMap((file) => [...read('libs', 'adapters', 'slack', file).matchAll(/'((?:chat|views|conversations|users|auth|reactions|files)\.[A-Za-z]+)'/g)].map(([, method]) => method!)));
    expect([...used].toSorted((a, b) => a.localeCompare(b))).toEqual(Object.keys(NEEDS).toSorted((a, b) => a.localeCompare(b)));
    const wanted = new Set(['commands', ...Object.values(NEEDS).flat()]);
    expect(new Set(manifest.oauth_config.scopes.bot)).toEqual(wanted);
    for (const scope of wanted) expect(document).toContain(`\`${scope}\``);
  });

  it('names the addresses that are served', () => {
    const routes = read('libs', 'approvals', 'nest', 'slack', 'slack-routes.ts');
    const [command] = manifest.features.slash_commands;
    for (const url of [command!.url, manifest.settings.interactivity.request_url]) expect(routes).toContain(`scope.post('${new URL(url).pathname}'`);
    expect(command).toMatchObject({ command: '/holdfast', usage_hint: 'approvals | link | help' });
  });
});
