import type { InletAnswer, SlackSettings, SlackWorkspace, SlackWorkspaces } from '#libs/approvals/core';
import type { HoldfastConfig, SecretRef, SlackConfig } from '#libs/contracts';
import type { BrokenChannel } from './failures.ts';
import { SlackClient } from './slack-client.ts';
import { SlackHttp } from './slack-http.ts';
import { SocketConnection } from './socket-connection.ts';

export interface ConfiguredWorkspace extends SlackWorkspace {
  readonly settings: SlackSettings;
  readonly client: SlackClient;
}

/** Answers what came over the connection of a tenant's app. */
export type SocketAnswer = (tenant: string, kind: 'interaction' | 'command', payload: unknown) => Promise<InletAnswer>;

export interface ConfiguredWorkspacesOptions {
  readonly resolveSecret: (reference: SecretRef) => string;
  readonly onBroken: (broken: BrokenChannel) => void;
  readonly onFault: (error: unknown) => void;
}

interface Entry {
  /** What it was made of; another one makes another workspace. */
  readonly made: string;
  readonly workspace: ConfiguredWorkspace;
  readonly socket: SocketConnection | undefined;
}

/** The Slack apps that the configuration in force names. What changed in it is connected anew, what did not stays connected. */
export class ConfiguredWorkspaces implements SlackWorkspaces {
  private readonly http = new SlackHttp();
  private entries: readonly Entry[] = [];
  private answer: SocketAnswer | undefined;

  constructor(private readonly options: ConfiguredWorkspacesOptions) {}

  ofTenant(tenant: string): ConfiguredWorkspace | undefined {
    return this.all().find((workspace) => workspace.tenant === tenant);
  }

  ofTeam(team: string, app: string): ConfiguredWorkspace | undefined {
    return this.all().find(({ settings }) => settings.teamId === team && settings.appId === app);
  }

  all(): readonly ConfiguredWorkspace[] {
    return this.entries.map(({ workspace }) => workspace);
  }

  /** Never throws: an app that cannot be used is told of, and everything else goes on without it. */
  use(config: HoldfastConfig): void {
    const before = this.entries;
    const next = config.notify.slack.flatMap((slack) => this.entryOf(slack, config, before) ?? []);
    this.entries = next;
    for (const { socket } of before) if (socket && !next.some((entry) => entry.socket === socket)) void socket.close().catch(this.options.onFault);
    this.connect();
  }

  /** Opens the connections of apps in Socket Mode, and of those that come later. */
  start(answer: SocketAnswer): void {
    this.answer = answer;
    this.connect();
  }

  async close(): Promise<void> {
    const { entries } = this;
    this.answer = undefined;
    await Promise.all(entries.flatMap(({ socket }) => socket?.close() ?? []));
    await this.http.close();
  }

  private connect(): void {
    if (this.answer) for (const { socket } of this.entries) socket?.start();
  }

  private entryOf(slack: SlackConfig, config: HoldfastConfig, before: readonly Entry[]): Entry | undefined {
    const { tenant, appId, teamId, apiUrl, showArguments, riskCeiling, trustVerifiedEmail } = slack;
    const users = config.identity.users.filter((user) => user.tenant === tenant).map(({ id, email }) => ({ id, email }));
    try {
      const [botToken, signingSecret] = [this.options.resolveSecret(slack.botToken), this.options.resolveSecret(slack.signingSecret)];
      const appToken = slack.appToken && this.options.resolveSecret(slack.appToken);
      const made = JSON.stringify([tenant, appId, teamId, apiUrl, botToken, signingSecret, appToken]);
      const same = before.find((entry) => entry.made === made);
      const client = same?.workspace.client ?? new SlackClient({ tenant, teamId, botToken, apiUrl, http: this.http, onBroken: this.options.onBroken });
      const socket = same ? same.socket : appToken === undefined ? undefined : this.socket(tenant, appToken, apiUrl);
      const settings = { appId, teamId, showArguments, riskCeiling, trustVerifiedEmail };
      return { made, socket, workspace: { tenant, settings, signingSecret, api: client, client, users } };
    } catch (error) {
      this.options.onBroken({ tenant, room: null, problem: error instanceof Error ? error.message : 'its secrets cannot be read' });
      return undefined;
    }
  }

  private socket(tenant: string, appToken: string, apiUrl: string | undefined): SocketConnection {
    const { onBroken, onFault } = this.options;
    return new SocketConnection({ tenant, appToken, apiUrl, http: this.http, onBroken, onFault, answer: (kind, payload) => this.answer?.(tenant, kind, payload) ?? Promise.resolve(null) });
  }
}
