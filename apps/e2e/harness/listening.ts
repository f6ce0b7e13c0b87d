import { expect } from '@jest/globals';
import type { Era, SubjectWorld } from './subject-world.ts';
import { until } from './until.ts';
import type { Message } from './wire.ts';

/** A client that listens in the way of its era: to everything that changes, and to these resources. */
export async function listening(w: SubjectWorld, era: Era, upstream: string, uris: readonly string[]): Promise<{ readonly heard: readonly Message[]; readonly stop: () => Promise<void> }> {
  if (era === 'legacy') {
    const session = await w.session(upstream);
    await session.listen();
    for (const uri of uris) expect((await session.request('resources/subscribe', { uri })).answer.result).toEqual({});
    return { heard: session.heard, stop: () => session.close() };
  }
  const wire = await w.through('modern', upstream);
  const [heard, hangUp] = [[] as Message[], new AbortController()];
  const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, ...(uris.length > 0 && { resourceSubscriptions: uris }) };
  const stream = wire.request('subscriptions/listen', { notifications }, { id: 'listen', signal: hangUp.signal, onMessage: (message) => void heard.push(message) }).catch(() => undefined);
  await until('the acknowledgement', () => heard.length > 0);
  expect(heard[0]).toMatchObject({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: { 'io.modelcontextprotocol/subscriptionId': 'listen' } } });
  const stop = async (): Promise<void> => {
    hangUp.abort();
    await stream;
  };
  return { heard, stop };
}
