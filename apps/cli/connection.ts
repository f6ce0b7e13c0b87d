import { readRunning } from '#libs/composition';
import { CommandError, EXIT } from './exit-code.ts';

export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly tenant?: string | undefined;
}

/** An HTTP connection to a running Holdfast, with the caller's token. */
export class Connection {
  private constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  /** From options, else the environment, else the embedded installation in HOLDFAST_DATA or this directory. */
  static find(options: ConnectionOptions, env: NodeJS.ProcessEnv): Connection {
    const running = readRunning(env['HOLDFAST_DATA'] ?? '.holdfast');
    const url = options.url ?? env['HOLDFAST_URL'] ?? running?.url;
    if (!url) throw new CommandError(EXIT.unavailable, 'no Holdfast is running here; give --url, set HOLDFAST_URL, or run this where Holdfast was started');
    const given = options.token ?? env['HOLDFAST_TOKEN'];
    if (given) return new Connection(url, given);
    if (running?.url !== url) throw new CommandError(EXIT.usage, `a token for ${url} is needed: --token or HOLDFAST_TOKEN`);
    const tenants = Object.keys(running.tokens);
    const tenant = options.tenant ?? (tenants.length === 1 ? tenants[0] : undefined);
    if (tenant === undefined) throw new CommandError(EXIT.usage, `which tenant? give --tenant, one of ${tenants.join(', ')}`);
    const token = running.tokens[tenant];
    if (!token) throw new CommandError(EXIT.usage, `there is no tenant ${tenant}; there are ${tenants.join(', ')}`);
    return new Connection(url, token);
  }

  async get(path: string): Promise<unknown> {
    const response = await this.send('GET', path, undefined, 'application/json');
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
