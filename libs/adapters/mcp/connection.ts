import type {
  Definition,
  JsonObject,
  ListKind,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamDescription,
  UpstreamListener,
  UpstreamServer,
} from '#libs/broker/core';

export interface ConnectionOptions {
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** The secret that a `secretRef` names; throws when there is none. */
  readonly resolveSecret: (secretRef: string) => string | Promise<string>;
  /** A line that a server's process wrote on its standard error; the server may have written anything. */
  readonly onStderr?: (server: UpstreamServer, line: string) => void;
}

/** Who hears what a server says outside of calls; asked each time, because it may be set after the connection was made. */
export type Listening = () => UpstreamListener | undefined;

/** One server, however it is reached. The methods promise what those of `Upstreams` promise. */
export interface UpstreamConnection {
  describe(): Promise<UpstreamDescription>;
  list(kind: ListKind): Promise<readonly Definition[]>;
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
  watch(uri: string): Promise<UpstreamAnswer>;
  unwatch(uri: string): Promise<UpstreamAnswer>;
  endConversation(conversation: string): void;
  /** Nothing new begins. Calls under way may end, for as long as they are given. */
  close(graceMs: number): Promise<void>;
}

export const NOTHING: UpstreamAnswer = { kind: 'result', text: '{}' };

/** What a server says it tells by itself, by the member of its capabilities. */
export function announcedChanges({ capabilities }: UpstreamDescription): readonly ('tools' | 'prompts' | 'resources')[] {
  return (['tools', 'prompts', 'resources'] as const).filter((kind) => (capabilities[kind] as JsonObject | undefined)?.['listChanged'] === true);
}

/** Unknown what was missed: whoever keeps lists of the server reads them again. */
export function tellChanged(listening: Listening, server: UpstreamServer, description: UpstreamDescription): void {
  for (const kind of announcedChanges(description)) listening()?.notified(server, undefined, `notifications/${kind}/list_changed`, '{}');
}
