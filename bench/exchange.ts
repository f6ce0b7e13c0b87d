import type { IncomingHttpHeaders } from 'node:http';
import type { Pool } from 'undici';

const MAX_ANSWER_BYTES = 16 << 20;

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One POST over a kept connection, collected without streams or Request objects: what the bench spends is missing to the servers
 * on the same machine. Rejects when no whole answer comes; it never sends twice.
 */
export function exchange(pool: Pool, path: string, headers: Readonly<Record<string, string>>, body: string | Buffer): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let [status, bytes] = [0, 0];
    let fields: IncomingHttpHeaders = {};
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        // Needed for undici to take this as a handler of the current kind.
        onRequestStart: () => undefined,
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          fields = received;
        },
        onResponseData(controller, chunk) {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) controller.abort(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
          else chunks.push(chunk);
        },
        onResponseEnd: () => resolve({ status, headers: fields, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
