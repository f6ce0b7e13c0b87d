const PAGE_ENTRIES = 500;
const PAGE_CHARS = 2_000_000;

/** An entry of a list: what it is known by, and its JSON text. */
export interface Listed {
  readonly name: string;
  readonly text: () => string;
}

/** A page of entries as JSON texts, and the cursor of the next page when there is one. */
export interface ListPage {
  readonly texts: readonly string[];
  readonly next: string | undefined;
}

/** A cursor names the last entry that was shown; null when that entry is not in the list (any more). */
export function listPage(entries: readonly Listed[], cursor: string | undefined): ListPage | null {
  let at = 0;
  if (cursor !== undefined) {
    const last = Buffer.from(cursor, 'base64url').toString('utf8');
    at = entries.findIndex(({ name }) => name === last) + 1;
    if (at === 0) return null;
  }
  const page: string[] = [];
  let chars = 0;
  while (at < entries.length && page.length < PAGE_ENTRIES && (page.length === 0 || chars < PAGE_CHARS)) {
    const text = entries[at]!.text();
    page.push(text);
    chars += text.length;
    at++;
  }
  return { texts: page, next: at < entries.length ? Buffer.from(entries[at - 1]!.name).toString('base64url') : undefined };
}
