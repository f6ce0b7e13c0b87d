import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, type Envelope } from '#libs/contracts';
import { EventWriter } from '#libs/testing';
import { isCanonical } from './is-canonical.ts';
import { readEvent } from './read-event.ts';

const fixtures = join(import.meta.dirname, '..', '..', '..', 'contracts', 'fixtures');
const good = new EventWriter('broker').requested('acme', 'a').event;
const text = Buffer.from(good).toString();
const verdict = (bytes: Uint8Array | string): string => {
  const reading = readEvent(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  return 'rejected' in reading ? reading.rejected : 'accepted';
};
/** The event with something changed, in canonical form. */
const changed = (change: (event: Record<string, never> & Envelope) => unknown): string => {
  const envelope = JSON.parse(text) as Record<string, never> & Envelope;
  change(envelope);
  return canonicalJson(envelope, 40);
};
const set = (object: object, members: object): void => void Object.assign(object, members);

describe('readEvent', () => {
  it.each(readdirSync(fixtures))('accepts the golden event %s', (name) => {
    expect(verdict((JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as { canonical: string }).canonical)).toBe('accepted');
  });

  it.each<[string, string, Uint8Array | string]>([
    ['no JSON', 'malformed', 'x'],
    ['nothing', 'malformed', ''],
    ['bytes that are not UTF-8', 'malformed', Uint8Array.from([...good.subarray(0, 40), 0xff, ...good.subarray(40)])],
    ['a byte order mark before it', 'malformed', Buffer.concat([Buffer.from('\ufeff'), good])],
    ['a space behind it', 'not_canonical', `${text} `],
    ['a space inside', 'not_canonical', text.replace(',', ', ')],
    ['keys in another order', 'not_canonical', text.replace(/^\{"actor":(\{.*?\}),(.*)\}$/, '{$2,"actor":$1}')],
    ['a duplicate key', 'not_canonical', text.replace('"argsBytes":12', '"argsBytes":12,"argsBytes":12')],
    ['an escape that need not be', 'not_canonical', text.replace('"acme"', '"\\u0061cme"')],
    ['a number written otherwise', 'not_canonical', text.replace('"argsBytes":12', '"argsBytes":12.0')],
    ['a number too exact', 'not_canonical', text.replace('"argsBytes":12', '"argsBytes":9007199254740993')],
    ['minus zero', 'not_canonical', text.replace('"argsBytes":12', '"argsBytes":-0')],
    ['a lone surrogate', 'not_canonical', text.replace('billing__refund', '\\ud800')],
    ['nesting without end', 'not_canonical', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['60,001 bytes', 'too_large', `"${'x'.repeat(59_999)}"`],
    ['an unknown type', 'unknown_type', changed((event) => set(event, { type: 'call.forged' }))],
    ['a type that is a name of Object.prototype', 'unknown_type', changed((event) => set(event, { type: 'toString' }))],
    ['a version that is not known', 'unknown_type', changed((event) => set(event, { sv: 2 }))],
    ['an unknown member', 'invalid', changed((event) => set(event, { forged: 1 }))],
    ['an unknown member of its data', 'invalid', changed((event) => set(event.data, { forged: 1 }))],
    ['a member __proto__', 'invalid', text.replace(/^\{/, '{"__proto__":{},')],
    ['no data', 'invalid', changed((event) => delete (event as Partial<Envelope>).data)],
    ['sequence number 0', 'invalid', changed((event) => set(event.producer, { seq: '0' }))],
    ['a sequence number beyond counting', 'invalid', changed((event) => set(event.producer, { seq: '9007199254740992', prev: 'A'.repeat(43) }))],
    ['a first number that follows something', 'invalid', changed((event) => set(event.producer, { prev: 'A'.repeat(43) }))],
    ['a later number that follows nothing', 'invalid', changed((event) => set(event.producer, { seq: '2' }))],
    ['31 February', 'invalid', changed((event) => set(event, { time: '2026-02-31T00:00:00.000Z' }))],
    ['the year 0', 'invalid', changed((event) => set(event, { time: '0000-01-01T00:00:00.000Z' }))],
    ['25 hours', 'invalid', changed((event) => set(event, { time: '2026-01-01T25:00:00.000Z' }))],
    ['a tenant that is none', 'invalid', changed((event) => set(event, { tenant: 'A B' }))],
    ['a value sealed that this type does not seal', 'invalid', changed((event) => set(event.sealed, { '/forged': { alg: 's256', c: 'A'.repeat(43) } }))],
    ['a call id that is a book', 'invalid', changed((event) => set(event.links, { call: 'x'.repeat(129) }))],
    ['a call id with U+0000', 'invalid', changed((event) => set(event.links, { call: '\u0000' }))],
  ])('rejects %s as %s', (_, reason, bytes) => {
    expect(verdict(bytes)).toBe(reason);
  });

  it('accepts nothing with one flipped bit that does not parse to another event', () => {
    for (let bit = 0; bit < good.length * 8; bit += 7) {
      const flipped = Uint8Array.from(good);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const reading = readEvent(flipped);
      expect('rejected' in reading || canonicalJson(reading.event, 40) === Buffer.from(flipped).toString()).toBe(true);
    }
  });
});

describe('the time of an event', () => {
  const at = (time: string): string => verdict(changed((event) => set(event, { time })));

  it('is accepted exactly when there is such an instant', () => {
    const two = (value: number): string => String(value).padStart(2, '0');
    const field = fc.integer({ min: 0, max: 99 });
    const year = fc.oneof(fc.constantFrom(0, 1, 1900, 2000, 2024, 2100, 9999), fc.integer({ min: 0, max: 9999 }));
    fc.assert(
      fc.property(year, fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }), fc.oneof(fc.constant(0), field), fc.oneof(fc.constant(0), field), (y, month, day, hour, minute) => {
        const time = `${String(y).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:00.000Z`;
        const ms = Date.parse(time);
        expect([time, at(time)]).toEqual([time, y > 0 && !Number.isNaN(ms) && new Date(ms).toISOString() === time ? 'accepted' : 'invalid']);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('isCanonical', () => {
  const outcome = (source: string): boolean => {
    try {
      return isCanonical(source, JSON.parse(source), 10);
    } catch {
      return false;
    }
  };

  it('says what writing the value anew says', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), (value) => {
        const canonical = canonicalJson(value);
        expect(outcome(canonical)).toBe(true);
        const plain = JSON.stringify(value);
        expect(outcome(plain)).toBe(plain === canonical);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['{"1":1,"10":2,"2":3}', true],
    ['{"1":1,"2":3,"10":2}', false],
    ['{"a":"\\ud800"}', false],
    ['"\\\\ud800"', true],
    ['{"__proto__":1,"a":2}', true],
    ['[[[[[[[[[[1]]]]]]]]]]', true],
    ['[[[[[[[[[[[1]]]]]]]]]]]', false],
  ])('%s: %s', (source, canonical) => {
    expect(outcome(source)).toBe(canonical);
  });
});
