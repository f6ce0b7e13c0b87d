import { describe, expect, it } from '@jest/globals';
import { AesSessionSealer } from './aes-session-sealer.ts';

describe('sealed sessions', () => {
  const sealer = new AesSessionSealer(new Uint8Array(32).fill(1));

  it('open with the key that sealed them, and show nothing', () => {
    const sealed = sealer.seal('{"user":"ada"}');
    expect(sealer.open(sealed)).toBe('{"user":"ada"}');
    expect(sealer.seal('{"user":"ada"}')).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('ada');
    expect(new AesSessionSealer(new Uint8Array(32).fill(2)).open(sealed)).toBeNull();
  });

  it('do not open with any bit changed, cut, lengthened or spelt differently', () => {
    const sealed = sealer.seal('{"user":"ada"}');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(sealer.open(changed.toString('base64url'))).toBeNull();
    }
    for (const other of ['', 'x', sealed.slice(0, -1), `${sealed}A`, `${sealed}=`, `${sealed} `, sealed.slice(0, 38)])
      expect(sealer.open(other)).toBeNull();
  });
});
