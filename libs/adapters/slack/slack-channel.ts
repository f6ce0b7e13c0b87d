import { DeliveryInDoubt, type Handles, type Message, type MessageChannel, type Recipient, renderMessage, type SlackContent, type SlackLinks } from '#libs/approvals/core';
import { type Clock, JobHopeless, JobPostponed } from '#libs/ports';
import type { SlackClient } from './slack-client.ts';
import type { ConfiguredWorkspace } from './configured-workspaces.ts';

export interface SlackChannelOptions {
  readonly workspaceOf: (tenant: string) => ConfiguredWorkspace | undefined;
  readonly links: Pick<SlackLinks, 'accountOf'>;
  readonly handles: Handles;
  readonly clock: Clock;
}

/** Messages whose latest version is remembered. */
const REMEMBERED = 10_000;
const REFERENCE = /^([CDG][A-Z0-9]{2,20}):(\d{1,12}\.\d{1,8})$/;

/** {@link MessageChannel} of Slack: rooms, and direct messages to people whose accounts are linked. References are `channel:ts`. */
export class SlackChannel implements MessageChannel {
  readonly name = 'slack';
  /** What each message shows by now, and who is changing it: a slower one never puts an older state over a newer one. */
  private readonly shown = new Map<string, number>();
  private readonly changing = new Map<string, Promise<void>>();
  /** Messages that may be there although Slack's answer was lost: looked for before they are sent again. */
  private readonly doubtful = new Set<string>();

  constructor(private readonly options: SlackChannelOptions) {}

  /** A person without a linked account is only found out when a message is for them. */
  reaches(recipient: Recipient): boolean {
    return recipient.kind === 'person' || recipient.name !== '';
  }

  async send(message: Message): Promise<string> {
    const found = this.doubtful.has(message.id) ? await this.find(message) : null;
    if (found === undefined) throw new DeliveryInDoubt('slack: nobody can tell whether the message arrived');
    this.doubtful.delete(message.id);
    return found ?? this.post(message);
  }

  private async post(message: Message): Promise<string> {
    const { client, settings } = this.workspace(message.tenant);
    const place = await this.place(message, client);
    const { channel, ts } = await client.post(place, message.id, this.render(message, settings)).catch((error: unknown) => {
      if (!isRefusal(error)) this.doubt(message.id);
      throw error;
    });
    const reference = `${channel}:${ts}`;
    this.remember(reference, message.view.version);
    return reference;
  }

  update(reference: string, message: Message): Promise<void> {
    const before = this.changing.get(reference) ?? Promise.resolve();
    const change = before.catch(() => undefined).then(() => this.change(reference, message));
    const settled = change.then(() => undefined, () => undefined);
    this.changing.set(reference, settled);
    void settled.then(() => {
      if (this.changing.get(reference) === settled) this.changing.delete(reference);
    });
    return change;
  }

  async find(message: Message): Promise<string | null | undefined> {
    const { client } = this.workspace(message.tenant);
    const { recipient } = message;
    const channel = recipient.kind === 'room' ? await client.channelOf(recipient.name) : await this.place(message, client);
    if (channel === undefined) return undefined;
    const found = await client.find(channel, message.id, Date.parse(message.view.createdAt));
    return found ? `${found.channel}:${found.ts}` : found;
  }

  private async change(reference: string, message: Message): Promise<void> {
    const [, channel, ts] = REFERENCE.exec(reference) ?? [];
    if (channel === undefined || ts === undefined) throw new JobHopeless('slack: not a reference of a message');
    const { version } = message.view;
    if (version < (this.shown.get(reference) ?? 0)) return;
    const { client, settings } = this.workspace(message.tenant);
    await client.update({ channel, ts }, message.id, this.render(message, settings));
    this.remember(reference, version);
  }

  private async place({ tenant, recipient }: Message, client: SlackClient): Promise<string> {
    if (recipient.kind === 'room') return recipient.name;
    const { settings } = this.workspace(tenant);
    const account = await this.options.links.accountOf(tenant, settings.teamId, recipient.user);
    if (account === null) throw new JobHopeless('slack: this person has linked no account');
    return client.directChannel(account);
  }

  private render(message: Message, settings: ConfiguredWorkspace['settings']): SlackContent {
    const { tenant, view } = message;
    const seal = (asks: 'approve' | 'deny' | 'edit'): string => this.options.handles.seal({ tenant, approval: view.id, version: view.version, asks, form: null });
    return renderMessage(message, { settings, now: this.options.clock.now(), seal });
  }

  private workspace(tenant: string): ConfiguredWorkspace {
    const workspace = this.options.workspaceOf(tenant);
    if (!workspace) throw new JobHopeless('slack: not set up for this tenant');
    return workspace;
  }

  private doubt(id: string): void {
    if (this.doubtful.size >= REMEMBERED) this.doubtful.clear();
    this.doubtful.add(id);
  }

  private remember(reference: string, version: number): void {
    if (this.shown.size >= REMEMBERED) this.shown.clear();
    this.shown.set(reference, version);
  }
}

/** Slack said that it did not do it. */
function isRefusal(error: unknown): boolean {
  return error instanceof JobHopeless || error instanceof JobPostponed;
}
