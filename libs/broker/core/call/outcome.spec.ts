import { describe, expect, it } from '@jest/globals';
import type { EventDraft } from '#libs/contracts';
import { codeOf, SpecBroker, tool } from '#libs/testing';

type Of<T extends EventDraft['type']> = Extract<EventDraft, { type: T }>;
const find = <T extends EventDraft['type']>(spec: SpecBroker, type: T): Of<T> => spec.recorder.log.find((event) => event.type === type) as Of<T>;

describe('what a server says of its results', () => {
  it.each([
    ['does not fit', '{"structuredContent":{"invalid":1}}', '(type at #/properties/id/type)'],
    ['is missing', '{"content":[]}', '(there is no structured content)'],
  ])('a structured result that %s is told as executed, and kept', async (_, text, why) => {
    const spec = new SpecBroker();
    spec.upstreams.lists.set('billing', [tool('refund', { outputSchema: { type: 'object' } })]);
    spec.upstreams.answer = () => ({ kind: 'result', text });
    const answer = await spec.call('billing__refund', {});
    expect([codeOf(answer), answer.result?._meta?.['dev.holdfast/call'].disposition]).toEqual(['result_invalid', 'executed']);
    expect(answer.result?.content?.[0]?.text).toContain(why);
    expect(find(spec, 'call.completed')).toMatchObject({ data: { outcome: 'succeeded', errorClass: 'result_invalid' }, seal: { '/result': JSON.parse(text) } });
  });

  it('a structured result is passed on when it fits, when the tool failed, and when its schema is of no use', async () => {
    const spec = new SpecBroker();
    const outputs = [{ type: 'object' }, { type: 'object' }, { not: 'usable' }];
    spec.upstreams.lists.set('billing', outputs.map((outputSchema, i) => tool(`t${i}`, { outputSchema })));
    const texts = ['{"structuredContent":{}}', '{"isError":true,"content":[]}', '{"structuredContent":{"invalid":1}}'];
    for (const [i, text] of texts.entries()) {
      spec.upstreams.answer = () => ({ kind: 'result', text });
      expect((await spec.call(`billing__t${i}`, {})).result).toEqual({ resultType: 'complete', ...(JSON.parse(text) as object) });
    }
  });
});
