import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { type Era, RpcError, Subject, type SubjectSession } from './subject.ts';

type Json = Readonly<Record<string, unknown>>;
type Id = string | number;

/** The subject on standard input and output, in the era that `SUBJECT_ERA` names. */
const era: Era = process.env['SUBJECT_ERA'] === 'modern' ? 'modern' : 'legacy';
const subject = new Subject();
const session: SubjectSession = { logLevel: undefined, watched: new Set() };
const running = new Map<Id, AbortController>();
const questions = new Map<Id, (result: Json) => void>();
const subscriptions = new Map<Id, readonly unknown[]>();
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
const write = (text: string): void => void process.stdout.write(text);

function announce(method: string, params: Json): void {
  const update = method === 'notifications/resources/updated';
  if (era === 'legacy' && (!update || session.watched.has(params['uri'] as string))) write(line({ method, params }));
  for (const [id, uris] of subscriptions) if (!update || uris.includes(params['uri'])) write(line({ method, params: { ...params, _meta: { [SUBSCRIPTION]: id } } }));
}

async function request(id: Id, method: string, params: Json): Promise<void> {
  const controller = new AbortController();
  const last: string[] = [];
  running.set(id, controller);
  if (method === 'subscriptions/listen') {
    const notifications = (params['notifications'] ?? {}) as Json;
    subscriptions.set(id, (notifications['resourceSubscriptions'] ?? []) as unknown[]);
    return write(line({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: { [SUBSCRIPTION]: id } } }));
  }
  try {
    if (method === (era === 'modern' ? 'initialize' : 'server/discover')) throw new RpcError(-32_601, `Unknown method ${method}`);
    const result = await subject.answer({
      era,
      method,
      params,
      session,
      announce,
      cancelled: controller.signal,
      notify: (name, own, when) => (when ? void last.push(line({ method: name, params: own })) : write(line({ method: name, params: own }))),
      ask: (name, own) =>
        new Promise((resolve) => {
          const question = randomUUID();
          questions.set(question, resolve);
          write(line({ id: question, method: name, params: own }));
        }),
      die: () => process.exit(1),
    });
    // What was cancelled is not answered.
    if (!controller.signal.aborted) write(last.join('') + line({ id, result }));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    write(line({ id, error: { code: error.code, message: error.message, ...(error.data !== undefined && { data: error.data }) } }));
  } finally {
    running.delete(id);
  }
}

createInterface({ input: process.stdin }).on('line', (text) => {
  const { id, method, params = {}, result, error } = JSON.parse(text) as { id?: Id; method?: string; params?: Json; result?: Json; error?: Json };
  if (id !== undefined && method !== undefined) return void request(id, method, params);
  if (id !== undefined) return questions.get(id)?.(result ?? { error });
  if (method !== 'notifications/cancelled') return;
  const cancelled = params['requestId'] as Id;
  subscriptions.delete(cancelled);
  running.get(cancelled)?.abort();
}).on('close', () => process.exit(0));
