import { readRunning } from '#libs/composition';
import type { Values } from './arguments.ts';
import { CommandError, EXIT } from './exit-code.ts';

export interface Target {
  readonly connection: Connection;
  readonly tenant: string;
  /** With the token that the embedded installation made for this machine, which is no person's. */
  readonly local: boolean;
}

const NOT_HERE = 'no Holdfast is running here; give --url, set HOLDFAST_URL, or run this where Holdfast was started';
const dataDirectory = (env: NodeJS.ProcessEnv): string => env['HOLDFAST_DATA'] ?? '.holdfast';
const text = (value: string | boolean | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** An HTTP connection to a running Holdfast, with the caller's token. */
export class Connection {
  private constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  /** From options, else the environment, else the embedded installation in HOLDFAST_DATA or this directory. */
  static target(values: Values, env: NodeJS.ProcessEnv): Target {
    const running = readRunning(dataDirectory(env));
    const url = text(values['url']) ?? env['HOLDFAST_URL'] ?? running?.url;
    if (url === undefined) throw new CommandError(EXIT.unavailable, NOT_HERE);
    const tenant = text(values['tenant']);
    const given = text(values['token']) ?? env['HOLDFAST_TOKEN'];
    // What a token stands for only the server knows; the name is for people and for what is remembered between verifications.
    if (given !== undefined) return { connection: new Connection(url, given), tenant: tenant ?? url, local: false };
    if (running?.url !== url) throw new CommandError(EXIT.usage, `a token for ${url} is needed: --token or HOLDFAST_TOKEN`);
    const names = Object.keys(running.tokens);
    const own = names.filter((name) => !name.startsWith('_'));
    const chosen = tenant ?? (own.length === 1 ? own[0]! : undefined);
    if (chosen === undefined) throw new CommandError(EXIT.usage, `which tenant? give --tenant, one of ${names.join(', ')}`);
    if (!names.includes(chosen)) throw new CommandError(EXIT.usage, `there is no such tenant; there are ${names.join(', ')}`);
    return { connection: new Connection(url, running.tokens[chosen]!), tenant: chosen, local: true };
  }

  /** Every log of the embedded installation in HOLDFAST_DATA or this directory, the system's own included. */
  static all(env: NodeJS.ProcessEnv): readonly Target[] {
    const running = readRunning(dataDirectory(env));
    if (!running) throw new CommandError(EXIT.unavailable, NOT_HERE);
    return Object.entries(running.tokens).map(([tenant, token]) => ({ connection: new Connection(running.url, token), tenant, local: true }));
  }

  /** The data directory of the embedded installation that runs here. */
  static data(env: NodeJS.ProcessEnv): string | undefined {
    return readRunning(dataDirectory(env)) && dataDirectory(env);
  }

  async get(path: string): Promise<unknown> {
    const response = await this.send('GET', path, undefined, 'application/json');
    return response.json();
  }

  async post(path: string, body: unknown): Promise<unknown> {
    const response = await this.send('POST', path, body, 'application/json');
    return response.json();
  }

  async delete(path: string): Promise<unknown> {
    const response = await this.send('DELETE', path, undefined, 'application/json');
    return response.json();
  }

  /** Posts and reads newline-delimited JSON: progress lines while it runs, the result last. */
  async run(path: string, body: unknown, onProgress: (done: number, total: number) => void): Promise<unknown> {
    const response = await this.send('POST', path, body, 'application/x-ndjson');
    const decoder = new TextDecoder();
    let rest = '';
    let result: unknown;
    const take = (line: string): void => {
      if (line === '') return;
      const message = JSON.parse(line) as { progress?: { done: number; total: number }; result?: unknown; error?: { title?: string; detail?: string } };
      if (message.progress) onProgress(message.progress.done, message.progress.total);
      if (message.error) throw new CommandError(EXIT.failed, message.error.detail ?? message.error.title ?? 'the server failed');
      if (message.result !== undefined) result = message.result;
    };
    for await (const chunk of response.body!) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop()!;
      lines.forEach(take);
    }
    take(rest);
    if (result === undefined) throw new CommandError(EXIT.unavailable, 'the connection broke before the result came');
    return result;
  }

  private async send(method: string, path: string, body: unknown, accept: string): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.url), {
        method,
        headers: { authorization: `Bearer ${this.token}`, accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new CommandError(EXIT.unavailable, `${this.url} does not answer`);
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string; code?: string };
    throw new CommandError(response.status === 503 ? EXIT.unavailable : EXIT.failed, `${problem.detail ?? problem.title ?? `HTTP ${response.status}`}${problem.code ? ` [${problem.code}]` : ''}`);
  }
}
