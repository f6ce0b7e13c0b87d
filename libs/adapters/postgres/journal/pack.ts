/** Byte strings of a batch as one buffer and the end of each: PostgreSQL takes one parameter instead of hundreds. */
export function pack(items: readonly (Uint8Array | null)[]): { readonly bytes: Buffer; readonly ends: number[] } {
  const ends: number[] = [];
  let size = 0;
  for (const item of items) {
    size += item?.length ?? 0;
    ends.push(size);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const item of items) {
    if (!item) continue;
    bytes.set(item, at);
    at += item.length;
  }
  return { bytes, ends };
}
