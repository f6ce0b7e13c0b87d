import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { catalogue } from '../catalogue.ts';
import { Envelope } from './envelope.ts';

interface Fixture {
  readonly envelope: Envelope;
  readonly canonical: string;
  readonly leaf: string;
}

const folder = join(import.meta.dirname, '..', 'fixtures');
const names = Object.values(catalogue).map((definition) => `${definition.type}.v${definition.version}.json`);
const read = (name: string): Fixture => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture;

/** Bytes and leaf hashes of every event version, written down once: whoever changes what an event means changes its version. */
describe('golden events', () => {
  it('exist for every version in the catalogue', () => {
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(names));
  });

  it('of older versions stay readable', () => {
    for (const name of readdirSync(folder).filter((candidate) => !names.includes(candidate))) {
      expect(name).toMatch(/^[a-z]+\.[a-z_]+\.v\d+\.json$/);
      expect(Envelope.safeParse(read(name).envelope).success).toBe(true);
    }
  });

  it.each(names)('%s is what it was', (name) => {
    const { envelope, canonical, leaf } = read(name);
    const definition = Object.values(catalogue).find((candidate) => candidate.type === envelope.type)!;
    expect(Envelope.parse(envelope)).toEqual(envelope);
    expect(definition.data.parse(envelope.data)).toEqual(envelope.data);
    expect(Object.keys(envelope.sealed).sort()).toEqual([...definition.sealed].sort());
    expect(envelope.sv).toBe(definition.version);
    expect(canonicalJson(envelope, 34)).toBe(canonical);
    expect(canonicalize(envelope)).toBe(canonical);
    expect(createHash('sha256').update(Buffer.from([0])).update(canonical).digest('base64url')).toBe(leaf);
  });

  it.each(Object.entries(catalogue))('%s refuses data with a member that it does not know, and data without one that it needs', (type, definition) => {
    const { data } = read(`${type}.v${definition.version}.json`).envelope;
    expect(definition.data.safeParse({ ...data, forged: 1 }).success).toBe(false);
    expect(definition.data.safeParse({}).success).toBe(false);
  });
});
