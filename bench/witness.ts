import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EchoTool, parseMessage } from './echo-tool.ts';

export interface Witness {
  readonly url: string;
  /** Milliseconds on this process's clock at which the call with this message arrived; waits for it. */
  arrival(message: string): Promise<number>;
  /** How often each message was executed. */
  readonly executed: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** The echo server in this process, so that what arrives there is timed by the clock that sent it. */
export async function startWitness(): Promise<Witness> {
  const tool = new EchoTool('legacy');
  const executed = new Map<string, number>();
  const arrived = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const now = performance.now();
      const message = parseMessage(Buffer.concat(chunks).toString());
      if (message?.id === undefined) return void response.writeHead(202).end();
      const text = message.method === 'tools/call' ? (message.params as { arguments?: { message?: string } }).arguments?.message : undefined;
      if (text !== undefined) {
        executed.set(text, (executed.get(text) ?? 0) + 1);
        arrived.set(text, now);
        waiting.get(text)?.(now);
      }
      void tool.answer(message).then((answer) => response.writeHead(200, { 'content-type': 'application/json', ...(message.method === 'initialize' ? { 'mcp-session-id': 'witness' } : {}) }).end(JSON.stringify(answer)));
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    executed,
    arrival: (message) => {
      const at = arrived.get(message);
      return at === undefined ? new Promise((resolve) => waiting.set(message, resolve)) : Promise.resolve(at);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
