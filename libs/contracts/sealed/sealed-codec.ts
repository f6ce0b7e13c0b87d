/** One encrypted value that travels beside an event: which field, which key, and AES-256-GCM output (nonce, ciphertext, tag). */
export interface SealedField {
  readonly path: string;
  readonly keyId: string;
  readonly box: Uint8Array;
}

const VERSION = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Framing of the sealed side of a record: version, count, then length-prefixed path, key id and box (big-endian lengths). */
export function encodeSealed(fields: readonly SealedField[]): Uint8Array {
  const parts = fields.map((field) => ({ path: encoder.encode(field.path), keyId: encoder.encode(field.keyId), box: field.box }));
  const size = parts.reduce((sum, part) => sum + 8 + part.path.length + part.keyId.length + part.box.length, 3);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(1, parts.length);
  let at = 3;
  for (const part of parts) {
    view.setUint16(at, part.path.length);
    out.set(part.path, at + 2);
    at += 2 + part.path.length;
    view.setUint16(at, part.keyId.length);
    out.set(part.keyId, at + 2);
    at += 2 + part.keyId.length;
    view.setUint32(at, part.box.length);
    out.set(part.box, at + 4);
    at += 4 + part.box.length;
  }
  return out;
}

/** Reads what {@link encodeSealed} wrote; throws RangeError on anything else. */
export function decodeSealed(bytes: Uint8Array): SealedField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('sealed record is cut short');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const u16 = (): number => (take(2), view.getUint16(at - 2));
  const u32 = (): number => (take(4), view.getUint32(at - 4));
  if (take(1)[0] !== VERSION) throw new RangeError('sealed record has an unknown version');
  const fields: SealedField[] = [];
  for (let left = u16(); left > 0; left--) {
    fields.push({ path: text(take(u16())), keyId: text(take(u16())), box: take(u32()).slice() });
  }
  if (at !== bytes.length) throw new RangeError('sealed record has trailing bytes');
  return fields;
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RangeError('sealed record has a name that is not UTF-8');
  }
}
