export { type ConfiguredWorkspace, ConfiguredWorkspaces, type ConfiguredWorkspacesOptions } from './configured-workspaces.ts';
export type { BrokenChannel } from './failures.ts';
export { SlackChannel, type SlackChannelOptions } from './slack-channel.ts';
export { SlackClient, type SlackClientOptions } from './slack-client.ts';
export { hmacHex, SlackHttp } from './slack-http.ts';
