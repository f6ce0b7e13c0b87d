import { request as httpRequest } from 'node:http';

/** One request, exactly as it goes over the wire. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** An empty value leaves the header out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Hang up after the headers, or after so many events; otherwise the whole answer is read. */
  readonly until?: 'headers' | number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends one request over a connection of its own. */
export function send(port: number, { method, path, headers, body, until }: RawRequest): Promise<RawAnswer> {
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers: sent, agent: false }, (response) => {
      let text = '';
      const done = (): void => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      const stream = String(response.headers['content-type']).startsWith('text/event-stream');
      const hangUp = (): void => {
        done();
        request.destroy();
      };
      if (stream && until === 'headers') return hangUp();
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (stream && typeof until === 'number' && text.split(/^data:/m).length > until && text.endsWith('\n\n')) hangUp();
      });
      response.on('end', done);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The JSON-RPC messages of an answer, as the texts they were written in. */
export function messageTexts({ headers, body }: RawAnswer): readonly string[] {
  if (body === '') return [];
  if (!String(headers['content-type']).startsWith('text/event-stream')) return [body];
  return body
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n'),
    )
    .filter((data) => data !== '');
}
