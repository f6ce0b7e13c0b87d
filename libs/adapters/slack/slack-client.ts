import { WebClient } from '@slack/web-api';
import { accountOf, type SlackAccount, type SlackApi, type SlackContent, type SlackUser, type SlackView } from '#libs/approvals/core';
import { type BrokenChannel, judge, slackCode } from './failures.ts';
import { type SlackHttp, silentLogger } from './slack-http.ts';

export interface SlackClientOptions {
  readonly tenant: string;
  readonly teamId: string;
  readonly botToken: string;
  readonly apiUrl: string | undefined;
  readonly http: SlackHttp;
  readonly onBroken: (broken: BrokenChannel) => void;
}

/** Where a message is. */
export interface Posted {
  readonly channel: string;
  readonly ts: string;
}

const EVENT = 'holdfast_approval';
const CHANNEL_ID = /^[CDG][A-Z0-9]{6,20}$/;
const REMEMBERED = 1_000;
const PAGE = 200;
/** Pages of a history, and of a list of rooms, that are read at most. */
const PAGES = 10;

type Json = Readonly<Record<string, unknown>>;

/** The Web API of one workspace, in the few words that we use. Its failures are those of jobs: postponed, hopeless, or to be tried again. */
export class SlackClient implements SlackApi {
  private readonly web: WebClient;
  private readonly rooms = new Map<string, string>();

  constructor(private readonly options: SlackClientOptions) {
    this.web = new WebClient(options.botToken, { ...options.http.options(options.apiUrl), logger: silentLogger });
  }

  async account(user: string): Promise<SlackAccount> {
    const { user: found } = (await this.call('users.info', { user }, null)) as { user?: SlackUser };
    return accountOf(found ?? {}, this.options.teamId);
  }

  async openView(trigger: string, view: SlackView): Promise<boolean> {
    try {
      await this.web.apiCall('views.open', { trigger_id: trigger, view });
      return true;
    } catch (error) {
      const code = slackCode(error);
      if (code === 'expired_trigger_id' || code === 'exchanged_trigger_id' || code === 'trigger_expired' || code === 'trigger_exchanged') return false;
      throw this.judged(error, null);
    }
  }

  async whisper(channel: string | null, user: string, content: SlackContent): Promise<void> {
    if (channel !== null) {
      try {
        await this.web.apiCall('chat.postEphemeral', { channel, user, ...shown(content) });
        return;
      } catch (error) {
        // Where the app is no member it says so, and then it is said in a direct message.
        if (slackCode(error) === undefined) throw this.judged(error, null);
      }
    }
    await this.call('chat.postMessage', { channel: await this.directChannel(user), ...shown(content) }, null);
  }

  /** `room` is a name with or without `#`, or an id. */
  async post(room: string, id: string, content: SlackContent): Promise<Posted> {
    const { channel, ts } = (await this.call('chat.postMessage', { channel: room, metadata: metadataOf(id), ...shown(content) }, room)) as unknown as Posted;
    this.remember(room, channel);
    return { channel, ts };
  }

  async update({ channel, ts }: Posted, id: string, content: SlackContent): Promise<void> {
    await this.call('chat.update', { channel, ts, metadata: metadataOf(id), ...shown(content) }, channel);
  }

  /** A message of ours in a channel since a moment; undefined when there is more to read than is read, or reading is not allowed. */
  async find(channel: string, id: string, sinceMs: number): Promise<Posted | null | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page++) {
      const answer = await this.read('conversations.history', { channel, include_all_metadata: true, oldest: String(Math.floor(sinceMs / 1000)), limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      if (!answer) return undefined;
      const found = list(answer['messages']).find((message) => isOurs(record(message['metadata']), id));
      if (found) return { channel, ts: String(found['ts']) };
      cursor = nextOf(answer);
      if (cursor === undefined) return null;
    }
    return undefined;
  }

  /** The id of a room; undefined when nobody can tell. */
  async channelOf(room: string): Promise<string | undefined> {
    if (CHANNEL_ID.test(room)) return room;
    const known = this.rooms.get(room);
    if (known !== undefined) return known;
    const name = room.replace(/^#/, '');
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page++) {
      const answer = await this.read('conversations.list', { types: 'public_channel,private_channel', exclude_archived: true, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      if (!answer) return undefined;
      const found = list(answer['channels']).find((channel) => channel['name'] === name);
      if (found) return this.remember(room, String(found['id']));
      cursor = nextOf(answer);
      if (cursor === undefined) return undefined;
    }
    return undefined;
  }

  async directChannel(user: string): Promise<string> {
    const known = this.rooms.get(user);
    if (known !== undefined) return known;
    const { channel } = (await this.call('conversations.open', { users: user }, null)) as { channel?: { id?: string } };
    return this.remember(user, String(channel?.id));
  }

  private async call(method: string, args: Record<string, unknown>, room: string | null): Promise<Json> {
    try {
      return (await this.web.apiCall(method, args)) as unknown as Json;
    } catch (error) {
      if (room !== null) this.rooms.delete(room);
      throw this.judged(error, room);
    }
  }

  /** Reads what the app may not be allowed to read; null when it is not. */
  private async read(method: string, args: Record<string, unknown>): Promise<Json | null> {
    try {
      return (await this.web.apiCall(method, args)) as unknown as Json;
    } catch (error) {
      if (slackCode(error) === 'missing_scope' || slackCode(error) === 'not_in_channel') return null;
      throw this.judged(error, null);
    }
  }

  private judged(failure: unknown, room: string | null): Error {
    const { error, broken } = judge(failure);
    if (broken && (broken.whole || room !== null)) this.options.onBroken({ tenant: this.options.tenant, room: broken.whole ? null : room, problem: broken.problem });
    return error;
  }

  private remember(name: string, channel: string): string {
    if (this.rooms.size >= REMEMBERED) this.rooms.clear();
    this.rooms.set(name, channel);
    return channel;
  }
}

/** Nothing of what is shown is looked through for links, mentions or pictures. */
function shown({ text, blocks }: SlackContent): Record<string, unknown> {
  return { text, blocks, mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false };
}

function metadataOf(id: string): unknown {
  return { event_type: EVENT, event_payload: { message: id } };
}

function isOurs(metadata: Json, id: string): boolean {
  return metadata['event_type'] === EVENT && record(metadata['event_payload'])['message'] === id;
}

function nextOf(answer: Json): string | undefined {
  const cursor = record(answer['response_metadata'])['next_cursor'];
  return typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
