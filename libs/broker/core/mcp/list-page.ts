import type { PinnedTool } from '../registry/pinned-tool.ts';

const PAGE_TOOLS = 500;
const PAGE_CHARS = 2_000_000;

/** A page of definitions as JSON texts, and the cursor of the next page when there is one. */
export interface ListPage {
  readonly tools: readonly string[];
  readonly next: string | undefined;
}

/** A cursor names the last tool that was shown; null when that tool is not in the list (any more). */
export function listPage(
  tools: readonly PinnedTool[],
  naming: 'own' | 'exposed',
  era: 'legacy' | 'modern',
  cursor: string | undefined,
): ListPage | null {
  const nameOf = (tool: PinnedTool): string => (naming === 'own' ? tool.name : tool.exposed);
  let at = 0;
  if (cursor !== undefined) {
    const last = Buffer.from(cursor, 'base64url').toString('utf8');
    at = tools.findIndex((tool) => nameOf(tool) === last) + 1;
    if (at === 0) return null;
  }
  const page: string[] = [];
  let chars = 0;
  while (at < tools.length && page.length < PAGE_TOOLS && (page.length === 0 || chars < PAGE_CHARS)) {
    const text = tools[at]!.json(naming, era);
    page.push(text);
    chars += text.length;
    at++;
  }
  return { tools: page, next: at < tools.length ? Buffer.from(nameOf(tools[at - 1]!)).toString('base64url') : undefined };
}
