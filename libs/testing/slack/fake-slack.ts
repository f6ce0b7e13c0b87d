import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyRefused } from './block-rules.ts';
import { FakeSockets } from './fake-sockets.ts';

type Json = Readonly<Record<string, unknown>>;

export interface FakeMessage {
  readonly channel: string;
  readonly ts: string;
  readonly metadata: { readonly event_type?: string; readonly event_payload?: Json };
  readonly state: Shown;
  /** What it was before, oldest first. */
  readonly before: readonly Shown[];
}

export interface Shown {
  readonly text: string;
  readonly blocks: readonly Json[];
}

export interface Whisper extends Shown {
  readonly channel: string;
  readonly user: string;
}

export interface FakeUser extends Json {
  readonly id: string;
}

/** How a request to us differs from an honest one. */
export interface Forgery {
  readonly secret?: string;
  /** Seconds away from now. */
  readonly ageS?: number;
  readonly team?: string;
  readonly app?: string;
  /** Changed after it was signed. */
  readonly tamper?: (body: string) => string;
}

export interface Delivery {
  readonly status: number;
  readonly body: string;
  /** The request as it was, to be sent again. */
  readonly sent: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

interface Trouble {
  readonly method: string;
  times: number;
  readonly kind: { readonly retryAfterS: number } | { readonly error: string } | { readonly delayMs: number } | { readonly lost: true };
}

/**
 * A Slack of one workspace: a real HTTP server with the methods that we use, refusing what Slack would refuse, which signs what it sends to
 * us. It can be in trouble in every way that we prepare for, and remembers what it was told.
 */
export class FakeSlack {
  readonly teamId = 'T0HOLDFAST';
  readonly appId = 'A0HOLDFAST';
  readonly botToken = `xoxb-${randomBytes(12).toString('hex')}`;
  readonly appToken = `xapp-${randomBytes(12).toString('hex')}`;
  readonly signingSecret = randomBytes(16).toString('hex');
  readonly messages = new Map<string, FakeMessage>();
  readonly whispers: Whisper[] = [];
  readonly views: { readonly user: string | undefined; readonly view: Json }[] = [];
  readonly calls: { readonly method: string; readonly args: Json }[] = [];
  readonly refusals: string[] = [];
  readonly users = new Map<string, FakeUser>();
  readonly rooms = new Map<string, string>();
  readonly sockets = new FakeSockets();
  revoked = false;
  private readonly server: Server;
  private readonly troubles: Trouble[] = [];
  private readonly triggers = new Map<string, { readonly user: string; readonly until: number }>();
  private port = 0;
  private ticks = 0;

  constructor() {
    this.server = createServer((request, response) => void this.serve(request, response).catch(() => response.destroy()));
    this.server.on('upgrade', (request, socket) => this.sockets.accept(request, socket));
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.port}/api/`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
    return this;
  }

  async stop(): Promise<void> {
    this.sockets.dropAll();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  addRoom(name: string): string {
    const id = `C0${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')}`.padEnd(9, '0');
    this.rooms.set(name, id);
    return id;
  }

  /** A full member, unless `more` says otherwise. */
  addUser(id: string, more: Json = {}): void {
    const { email, ...flags } = more;
    const profile = { display_name: id.toLowerCase(), ...(email === undefined ? {} : { email }) };
    this.users.set(id, { id, team_id: this.teamId, name: id.toLowerCase(), deleted: false, is_bot: false, is_restricted: false, is_ultra_restricted: false, is_email_confirmed: email !== undefined, profile, ...flags });
  }

  rateLimit(method: string, retryAfterS: number, times = 1): void {
    this.troubles.push({ method, times, kind: { retryAfterS } });
  }

  fail(method: string, error: string, times = 1): void {
    this.troubles.push({ method, times, kind: { error } });
  }

  slow(method: string, delayMs: number, times = 1): void {
    this.troubles.push({ method, times, kind: { delayMs } });
  }

  /** Does it, and breaks the connection instead of saying so. */
  loseAnswer(method: string, times = 1): void {
    this.troubles.push({ method, times, kind: { lost: true } });
  }

  inRoom(name: string): FakeMessage[] {
    return [...this.messages.values()].filter(({ channel }) => channel === this.rooms.get(name));
  }

  direct(user: string): FakeMessage[] {
    return [...this.messages.values()].filter(({ channel }) => channel === directOf(user));
  }

  /** The payload of a press of a button; `handle` is the button's value. */
  pressPayload(user: string, handle: string, action = 'approve', forgery: Forgery = {}): Json {
    const channel = { id: this.rooms.values().next().value ?? 'C0NOWHERE' };
    return { type: 'block_actions', ...this.from(user, forgery), trigger_id: this.trigger(user), channel, response_url: 'http://127.0.0.1:1/never', actions: [{ type: 'button', action_id: action, value: handle, action_ts: '1' }] };
  }

  submitPayload(user: string, view: Json, values: Readonly<Record<string, string>>, forgery: Forgery = {}): Json {
    const state = { values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { [name]: { type: 'plain_text_input', value } }])) };
    return { type: 'view_submission', ...this.from(user, forgery), trigger_id: this.trigger(user), view: { ...view, id: 'V1', state } };
  }

  interact(url: string, payload: Json, forgery: Forgery = {}): Promise<Delivery> {
    return this.post(`${url}/slack/interactions`, new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), forgery);
  }

  press(url: string, user: string, handle: string, forgery: Forgery = {}): Promise<Delivery> {
    return this.interact(url, this.pressPayload(user, handle, 'approve', forgery), forgery);
  }

  submit(url: string, user: string, view: Json, values: Readonly<Record<string, string>>, forgery: Forgery = {}): Promise<Delivery> {
    return this.interact(url, this.submitPayload(user, view, values, forgery), forgery);
  }

  commandFields(user: string, text: string): Readonly<Record<string, string>> {
    return { command: '/holdfast', text, team_id: this.teamId, api_app_id: this.appId, user_id: user, channel_id: 'C0ELSEWHERE', trigger_id: this.trigger(user), response_url: 'http://127.0.0.1:1/never' };
  }

  command(url: string, user: string, text: string, forgery: Forgery = {}): Promise<Delivery> {
    return this.post(`${url}/slack/commands`, new URLSearchParams({ ...this.commandFields(user, text) }).toString(), forgery);
  }

  /** The same bytes again. */
  async again({ sent }: Delivery): Promise<Delivery> {
    const response = await fetch(sent.url, { method: 'POST', headers: sent.headers, body: sent.body });
    return { status: response.status, body: await response.text(), sent };
  }

  /** Slack gives each thing that a person does a ticket of its own, so no two requests are the same bytes. */
  private trigger(user: string): string {
    const trigger = `${Date.now()}.${++this.ticks}.${randomBytes(8).toString('hex')}`;
    this.triggers.set(trigger, { user, until: Date.now() + 3_000 });
    return trigger;
  }

  private async post(url: string, honest: string, { secret = this.signingSecret, ageS = 0, tamper = (body) => body }: Forgery): Promise<Delivery> {
    const timestamp = String(Math.floor(Date.now() / 1000) - ageS);
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${honest}`).digest('hex')}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
    return this.again({ status: 0, body: '', sent: { url, headers, body: tamper(honest) } });
  }

  private from(user: string, { team = this.teamId, app = this.appId }: Forgery): Json {
    return { user: { id: user, team_id: team, username: 'not to be believed' }, team: { id: team, domain: 'spec' }, api_app_id: app };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = (request.url ?? '').replace(/^\/api\//, '').split('?')[0]!;
    const args = await argumentsOf(request);
    this.calls.push({ method, args });
    const trouble = this.troubles.find((candidate) => candidate.method === method && candidate.times-- > 0);
    const kind = trouble?.kind ?? {};
    if ('retryAfterS' in kind) {
      response.writeHead(429, { 'retry-after': String(kind.retryAfterS) }).end();
      return;
    }
    if ('delayMs' in kind) await sleep(Number(kind.delayMs));
    const answer = 'error' in kind ? { ok: false, error: kind.error } : this.answer(method, args, request.headers.authorization);
    if ('lost' in kind) {
      response.destroy();
      return;
    }
    if (answer['ok'] === false) this.refusals.push(`${method}: ${String(answer['error'])}${answer['why'] === undefined ? '' : ` (${textOf(answer['why'])})`}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private answer(method: string, args: Json, authorization: string | undefined): Json {
    const refuse = (error: string, why?: string): Json => ({ ok: false, error, ...(why === undefined ? {} : { why }) });
    const isApp = method === 'apps.connections.open';
    if (authorization !== `Bearer ${isApp ? this.appToken : this.botToken}`) return refuse('invalid_auth');
    if (this.revoked) return refuse('token_revoked');
    const channel = this.channelOf(textOf(args['channel']));
    const why = whyRefused(args['blocks'] ?? (args['view'] as Json | undefined)?.['blocks']);
    if (why !== null) return refuse('invalid_blocks', why);
    switch (method) {
      case 'auth.test':
        return { ok: true, team_id: this.teamId, app_id: this.appId };
      case 'apps.connections.open':
        return { ok: true, url: `ws://127.0.0.1:${this.port}/link/?ticket=${randomBytes(8).toString('hex')}` };
      case 'chat.postMessage': {
        if (channel === undefined) return refuse('channel_not_found');
        const ts = `${Math.floor(Date.now() / 1000)}.${String(++this.ticks).padStart(6, '0')}`;
        this.messages.set(`${channel}:${ts}`, { channel, ts, metadata: (args['metadata'] ?? {}) as FakeMessage['metadata'], state: shown(args), before: [] });
        return { ok: true, channel, ts };
      }
      case 'chat.update': {
        const key = `${channel}:${String(args['ts'])}`;
        const message = this.messages.get(key);
        if (!message) return refuse('message_not_found');
        this.messages.set(key, { ...message, state: shown(args), before: [...message.before, message.state] });
        return { ok: true, channel, ts: args['ts'] };
      }
      case 'chat.postEphemeral':
        if (channel === undefined || ![...this.rooms.values()].includes(channel)) return refuse('channel_not_found');
        this.whispers.push({ channel, user: String(args['user']), ...shown(args) });
        return { ok: true, message_ts: '1.1' };
      case 'views.open': {
        const trigger = this.triggers.get(String(args['trigger_id']));
        if (!trigger || trigger.until < Date.now()) return refuse('expired_trigger_id');
        this.triggers.delete(String(args['trigger_id']));
        this.views.push({ user: trigger.user, view: args['view'] as Json });
        return { ok: true, view: { id: 'V1' } };
      }
      case 'conversations.open':
        return this.users.has(String(args['users'])) ? { ok: true, channel: { id: directOf(String(args['users'])) } } : refuse('user_not_found');
      case 'conversations.list':
        return { ok: true, channels: [...this.rooms].map(([name, id]) => ({ id, name })), response_metadata: { next_cursor: '' } };
      case 'conversations.history': {
        const messages = [...this.messages.values()].filter((message) => message.channel === channel && Number(message.ts) >= Number(args['oldest'] ?? 0)).reverse();
        const from = Number(args['cursor'] ?? 0);
        const to = from + Number(args['limit'] ?? 100);
        const page = messages.slice(from, to).map(({ ts, metadata, state }) => ({ type: 'message', ts, text: state.text, ...(args['include_all_metadata'] === 'true' ? { metadata } : {}) }));
        return { ok: true, messages: page, has_more: to < messages.length, response_metadata: { next_cursor: to < messages.length ? String(to) : '' } };
      }
      case 'users.info': {
        const user = this.users.get(String(args['user']));
        return user ? { ok: true, user } : refuse('user_not_found');
      }
      default:
        return refuse('unknown_method');
    }
  }

  private channelOf(given: string): string | undefined {
    const id = this.rooms.get(given.replace(/^#/, ''));
    if (id !== undefined) return id;
    return [...this.rooms.values()].includes(given) || given.startsWith('D') ? given : undefined;
  }
}

function directOf(user: string): string {
  return `D0${user}`;
}

function shown(args: Json): Shown {
  return { text: textOf(args['text']), blocks: (args['blocks'] ?? []) as readonly Json[] };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const AS_JSON = new Set(['blocks', 'view', 'metadata']);

async function argumentsOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, AS_JSON.has(name) ? (JSON.parse(value) as unknown) : value]));
}
