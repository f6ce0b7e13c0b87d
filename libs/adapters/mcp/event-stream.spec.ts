import { describe, expect, it } from '@jest/globals';
import { EventStream, EventTooLarge, type StreamEvent } from './event-stream.ts';

function read(text: string, size = text.length, max?: number): { events: StreamEvent[]; stream: EventStream } {
  const events: StreamEvent[] = [];
  const stream = new EventStream((event) => events.push(event), max);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
  return { events, stream };
}

describe('an event stream', () => {
  it.each(['\n', '\r\n', '\r'])('is the same in any cutting of the bytes, with lines that end in %j', (eol) => {
    const text = ['\uFEFF: hello', '', 'event: endpoint', 'data: /x', '', 'id: 7', 'retry: 250', 'data: {"é":', 'data:"ü"}', 'other: x', '', 'data', '', 'data: cut off'].join(eol);
    for (let size = 1; size <= 40; size++) {
      const { events, stream } = read(text, size);
      stream.end();
      expect(events).toEqual([
        { name: 'endpoint', data: '/x' },
        { name: 'message', data: '{"é":\n"ü"}' },
      ]);
      expect([stream.lastEventId, stream.retryMs]).toEqual(['7', 250]);
    }
  });

  it('remembers where it can be continued, also from an event without data, and not from one that was cut off', () => {
    expect(read('id: 1\ndata:\n\n').stream.lastEventId).toBe('1');
    expect(read('id: 1\ndata: x\n\nid: 2\ndata: y').stream.lastEventId).toBe('1');
    expect(read('id: 1\ndata: x\n\nid:\ndata: y\n\n').stream.lastEventId).toBeUndefined();
  });

  it('takes no id that cannot go back in a header, and no time that is none', () => {
    const { stream } = read(`id: a\rdata: x\n\nid: é\ndata: x\n\nid: ${'x'.repeat(2_000)}\ndata: x\n\nretry: -1\nretry: 1e3\nretry: 99999999999\n\n`);
    expect([stream.lastEventId, stream.retryMs]).toEqual(['a', undefined]);
  });

  it('is bounded by its largest event, in one line or in many', () => {
    const fits = `data: ${'x'.repeat(90)}\n\n`;
    expect(read(fits.repeat(1_000), 1_000, 2_000).events).toHaveLength(1_000);
    for (const text of ['data: '.padEnd(5_000, 'x'), 'data:\n'.repeat(5_000), ': '.padEnd(5_000, 'x')]) expect(() => read(text, 100, 2_000)).toThrow(EventTooLarge);
  });

  it('costs no more in many pieces than in few', () => {
    let data = '';
    const stream = new EventStream((event) => (data = event.data));
    stream.push(Buffer.from(`data: ${'x'.repeat(8 << 20)}`));
    const [one, startedMs] = [Buffer.from('y'), performance.now()];
    for (let n = 0; n < 20_000; n++) stream.push(one);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    stream.push(Buffer.from('\n\n'));
    expect(data.length).toBe((8 << 20) + 20_000);
  });

  it('is UTF-8', () => {
    expect(() => new EventStream(() => undefined).push(Buffer.from([0xff]))).toThrow(/utf-8/);
  });
});
