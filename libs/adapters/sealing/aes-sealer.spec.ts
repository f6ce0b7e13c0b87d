import { describe, expect, it } from '@jest/globals';
import { MemoryKeyStore } from '#libs/adapters/memory';
import { base64url, commitment } from '#libs/audit/core';
import { decodeSealed, encodeSealed } from '#libs/contracts';
import { AesSealer } from './aes-sealer.ts';
import { KeyHierarchy } from './key-hierarchy.ts';

const master = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

function setUp(store = new MemoryKeyStore(), key = master(1)): { sealer: AesSealer; store: MemoryKeyStore } {
  return { sealer: new AesSealer(new KeyHierarchy(key, store, () => 0)), store };
}

describe('AesSealer', () => {
  it('commits to the value and opens to what the commitment says, through the record encoding', async () => {
    const { sealer } = setUp();
    const sealed = await sealer.seal('acme', 'ada', { '/args': { b: 1, a: [true, 'ü'] }, '/flag': false });
    const fields = decodeSealed(encodeSealed(sealed.fields));
    expect(fields.map((field) => field.path)).toEqual(['/args', '/flag']);
    for (const field of fields) {
      const opened = (await sealer.open('acme', field))!;
      expect(base64url(commitment(opened.salt, field.path, opened.canonical))).toBe(sealed.commitments[field.path]);
    }
    expect((await sealer.open('acme', fields[0]!))!.canonical).toBe('{"a":[true,"ü"],"b":1}');
  });

  it('salts: the same boolean never has the same commitment or box twice, and a guess without the salt matches nothing', async () => {
    const { sealer } = setUp();
    const seals = await Promise.all(Array.from({ length: 20 }, () => sealer.seal('acme', 'ada', { '/flag': true })));
    expect(new Set(seals.map((sealed) => sealed.commitments['/flag'])).size).toBe(20);
    const guesses = ['true', 'false'].map((value) => base64url(commitment(new Uint8Array(16), '/flag', value)));
    expect(seals.some((sealed) => guesses.includes(sealed.commitments['/flag']!))).toBe(false);
  });

  it.each(['nonce', 'ciphertext', 'tag'])('refuses a box with one flipped bit in its %s', async (part) => {
    const { sealer } = setUp();
    const { fields } = await sealer.seal('acme', 'ada', { '/args': { a: 1 } });
    const box = fields[0]!.box.slice();
    box[part === 'nonce' ? 0 : part === 'tag' ? box.length - 1 : 14]! ^= 1;
    await expect(sealer.open('acme', { ...fields[0]!, box })).rejects.toThrow();
  });

  it('refuses a box moved to another pointer, and a key of another tenant', async () => {
    const { sealer } = setUp();
    const { fields } = await sealer.seal('acme', 'ada', { '/args': { a: 1 } });
    await expect(sealer.open('acme', { ...fields[0]!, path: '/result' })).rejects.toThrow();
    await sealer.seal('globex', 'ada', { '/args': 1 });
    await expect(sealer.open('globex', fields[0]!)).rejects.toThrow('there is no key');
  });

  it('opens nothing once the key of the subject is destroyed, and still opens what belongs to others', async () => {
    const { sealer, store } = setUp();
    const ada = await sealer.seal('acme', 'ada', { '/args': 1 });
    const grace = await sealer.seal('acme', 'grace', { '/args': 2 });
    store.destroySubject('acme', 'ada');
    expect(await sealer.open('acme', ada.fields[0]!)).toBeNull();
    expect((await sealer.open('acme', grace.fields[0]!))!.canonical).toBe('2');
  });

  it('agrees with another process on keys made at the same moment, and with itself after a restart', async () => {
    const store = new MemoryKeyStore();
    const [one, two] = [setUp(store).sealer, setUp(store).sealer];
    const [first, second] = await Promise.all([one.seal('acme', 'ada', { '/a': 1 }), two.seal('acme', 'ada', { '/a': 2 })]);
    expect(first.fields[0]!.keyId).toBe(second.fields[0]!.keyId);
    expect((await setUp(store).sealer.open('acme', second.fields[0]!))!.canonical).toBe('2');
  });

  it('opens nothing with another master key', async () => {
    const { sealer, store } = setUp();
    const { fields } = await sealer.seal('acme', 'ada', { '/args': 1 });
    await expect(setUp(store, master(2)).sealer.open('acme', fields[0]!)).rejects.toThrow();
  });

  it('goes on sealing for known subjects while the key store does not answer', async () => {
    const store = new MemoryKeyStore();
    let now = 0;
    const sealer = new AesSealer(new KeyHierarchy(master(1), store, () => now));
    const before = await sealer.seal('acme', 'ada', { '/args': 1 });
    const answer = store.subjectKey.bind(store);
    let answered: () => void = () => undefined;
    const silence = new Promise<void>((resolve) => (answered = resolve));
    store.subjectKey = (tenant, subject) => silence.then(() => answer(tenant, subject));
    now = 3_600_000;
    const during = await sealer.seal('acme', 'ada', { '/args': 2 });
    expect(during.fields[0]!.keyId).toBe(before.fields[0]!.keyId);
    expect((await sealer.open('acme', during.fields[0]!))!.canonical).toBe('2');
    answered();
  });
});
