import { Pool } from 'undici';
import { isObject, type JsonObject, type UpstreamServer, UpstreamUnavailable } from '#libs/broker/core';
import type { ConnectionOptions } from './connection.ts';
import { type Exchange, exchangeWithin, type ExchangeRequest } from './exchange.ts';
import { POST_HEADERS } from './http-headers.ts';
import { AnsweredWithError, type Sized } from './lists.ts';
import { isAnswer, isRpcError, parse, requestText } from './rpc.ts';

/** Connections for what we have to say while all of the calls' own are taken. */
const CONTROL_CONNECTIONS = 4;
/** Streams that stay open: one for each session, and one more. */
const MAX_STREAMS = 1_024;
/** Messages on their way at one time. */
const MAX_TELLING = 1_000;
const TELL_TIMEOUT_MS = 5_000;
const TELL_BYTES = 1 << 20;

/** The connections to one server and the credentials it knows us by. Calls, streams that stay and what we say beside them never wait for each other. */
export class HttpEndpoint {
  readonly calls: Pool;
  readonly streams: Pool;
  private readonly control: Pool;
  readonly path: string;
  private credentials: Promise<readonly string[]> | undefined;
  private ids = 0;
  private telling = 0;

  constructor(
    readonly server: UpstreamServer,
    url: URL,
    private readonly options: Pick<ConnectionOptions, 'resolveSecret'>,
  ) {
    const connections = {
      pipelining: 1,
      keepAliveTimeout: 30_000,
      connect: { timeout: server.limits.connectTimeoutMs },
      maxHeaderSize: 32 * 1024,
    };
    this.calls = new Pool(url.origin, { ...connections, connections: server.limits.concurrency });
    this.control = new Pool(url.origin, { ...connections, connections: CONTROL_CONNECTIONS });
    this.streams = new Pool(url.origin, { ...connections, connections: MAX_STREAMS });
    this.path = `${url.pathname}${url.search}`;
  }

  nextId(): string {
    return `holdfast-${++this.ids}`;
  }

  /** Headers with the server's own credentials; read again after the server refused them. Throws {@link UpstreamUnavailable}. */
  secret(): Promise<readonly string[]> {
    this.credentials ??= this.readSecret();
    return this.credentials;
  }

  forgetSecret(): void {
    this.credentials = undefined;
  }

  /** A request of our own. Throws {@link UpstreamUnavailable}, and {@link AnsweredWithError} for an error that the server answered with. */
  async request(
    headers: readonly string[],
    method: string,
    params: JsonObject,
    timeoutMs: number,
    maxBytes: number,
  ): Promise<Sized & { readonly session: string | undefined }> {
    const id = this.nextId();
    const exchanged = await this.send(
      {
        method: 'POST',
        path: this.path,
        headers: [...POST_HEADERS, ...headers],
        body: requestText(id, method, JSON.stringify(params)),
        maxBytes,
        maxStreamBytes: 2 * maxBytes,
        onMessage: (text) => {
          const message = parse(text);
          return isObject(message) && message['id'] === id && isAnswer(message) ? message : undefined;
        },
      },
      timeoutMs,
    );
    if (exchanged.kind !== 'answered') throw unavailable(exchanged);
    const { status } = exchanged;
    if (status === 401 || status === 403) {
      this.forgetSecret();
      throw new UpstreamUnavailable(`the server does not accept our credentials (HTTP ${status})`);
    }
    const message = exchanged.json ? (exchanged.message ?? parse(exchanged.text)) : undefined;
    const { result, error } = isObject(message) ? message : ({} as JsonObject);
    if (status < 300 && isObject(result)) return { result, characters: exchanged.text.length, session: exchanged.session };
    const code = isRpcError(error) ? ((error as JsonObject)['code'] as number) : 0;
    throw new AnsweredWithError(code, status, `the server did not answer ${method} (HTTP ${status})`);
  }

  /**
   * A message that has no answer; whether the server took it. What it says to that, in whatever form, is nobody's. A server that asks
   * for more than it takes goes without the rest.
   */
  async tell(headers: readonly string[], body: string): Promise<boolean> {
    if (this.telling >= MAX_TELLING) return false;
    let accepted = false;
    const request = {
      method: 'POST',
      path: this.path,
      headers: [...POST_HEADERS, ...headers],
      body,
      maxBytes: TELL_BYTES,
      onStart: (status: number, stream: boolean): boolean => {
        accepted = status < 300;
        return !stream;
      },
    } as const;
    this.telling++;
    await this.send(request, TELL_TIMEOUT_MS);
    this.telling--;
    return accepted;
  }

  /** The server may forget a session. It may also not care. */
  async endSession(headers: readonly string[]): Promise<void> {
    await this.send({ method: 'DELETE', path: this.path, headers, maxBytes: TELL_BYTES }, TELL_TIMEOUT_MS);
  }

  /** Lets calls under way end, for as long as they are given. */
  async close(graceMs: number): Promise<void> {
    const pools = [this.calls, this.control];
    let timer: NodeJS.Timeout | undefined;
    await this.streams.destroy().catch(() => undefined);
    await Promise.race([
      Promise.all(pools.map((pool) => pool.close().catch(() => undefined))),
      new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs);
      }),
    ]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy().catch(() => undefined)));
  }

  private async send(request: ExchangeRequest, timeoutMs: number): Promise<Exchange> {
    let secret: readonly string[];
    try {
      secret = await this.secret();
    } catch {
      return { kind: 'not_sent', error: 'credentials' };
    }
    return exchangeWithin(this.control, { ...request, headers: [...request.headers, ...secret] }, timeoutMs);
  }

  private async readSecret(): Promise<readonly string[]> {
    const { auth } = this.server;
    if (auth.type === 'none') return [];
    try {
      const value = await this.options.resolveSecret((auth.type === 'bearer' ? auth.token : auth.value).secretRef);
      if (!/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(value)) throw new Error('not a header value');
      return auth.type === 'bearer' ? ['authorization', `Bearer ${value}`] : [auth.name.toLowerCase(), value];
    } catch {
      this.credentials = undefined;
      throw new UpstreamUnavailable('the credentials for the server cannot be read');
    }
  }
}

function unavailable(exchanged: Exchange): UpstreamUnavailable {
  if (exchanged.kind === 'not_sent') return new UpstreamUnavailable(`the server cannot be reached (${exchanged.error})`);
  if (exchanged.kind === 'lost') return new UpstreamUnavailable(`the server did not answer (${exchanged.reason})`);
  return new UpstreamUnavailable('the server did not answer');
}
