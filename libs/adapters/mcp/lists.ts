import {
  type Definition,
  isObject,
  type JsonObject,
  type ListKind,
  LISTS,
  type UpstreamDescription,
  UpstreamUnavailable,
} from '#libs/broker/core';
import { writable } from './depth.ts';

/** The server answered with an error of the protocol. */
export class AnsweredWithError extends UpstreamUnavailable {
  constructor(
    readonly code: number,
    /** Of HTTP, where there is one. */
    readonly status: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

export const LIST_TIMEOUT_MS = 10_000;
export const LIST_PAGE_BYTES = 16 << 20;
const MAX_PAGES = 100;
const MAX_ENTRIES = 10_000;
const MAX_CHARACTERS = 64 << 20;
const UNKNOWN_METHOD = -32601;

const METHODS: Readonly<Record<ListKind, string>> = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
};

/** A result, and how long its text was. */
export interface Sized {
  readonly result: JsonObject;
  readonly characters: number;
}

/**
 * All pages of a list. Entries without the member that names them or too deep to be written again are left out, and so is a tool or prompt whose name came before: a
 * name means one thing. Throws {@link UpstreamUnavailable}.
 */
export async function allPages(
  kind: ListKind,
  description: UpstreamDescription,
  request: (method: string, params: JsonObject) => Promise<Sized>,
): Promise<readonly Definition[]> {
  // Servers have offered tools without announcing them; whatever else there is, is announced.
  const capability = kind === 'resourceTemplates' ? 'resources' : kind;
  if (kind !== 'tools' && !isObject(description.capabilities[capability])) return [];
  const entries: Definition[] = [];
  const names = new Set<string>();
  let cursor: string | undefined;
  let characters = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    let result: JsonObject;
    try {
      const sized = await request(METHODS[kind], cursor === undefined ? {} : { cursor });
      ({ result } = sized);
      characters += sized.characters;
    } catch (error) {
      if (error instanceof AnsweredWithError && error.code === UNKNOWN_METHOD && page === 0) return [];
      throw error;
    }
    if (characters > MAX_CHARACTERS) throw new UpstreamUnavailable(`the list of ${kind} is larger than ${MAX_CHARACTERS} characters`);
    const listed = result[kind];
    if (!Array.isArray(listed)) throw new UpstreamUnavailable(`the answer to ${METHODS[kind]} holds no list`);
    for (const entry of listed as unknown[]) {
      const name = isObject(entry) ? entry[LISTS[kind]] : undefined;
      if (typeof name !== 'string' || name === '' || !writable(entry)) continue;
      if (LISTS[kind] === 'name') {
        if (names.has(name)) continue;
        names.add(name);
      }
      entries.push(entry as Definition);
      if (entries.length > MAX_ENTRIES) throw new UpstreamUnavailable(`the server has more than ${MAX_ENTRIES} ${kind}`);
    }
    const next = result['nextCursor'];
    if (typeof next !== 'string' || next === cursor) return entries;
    cursor = next;
  }
  throw new UpstreamUnavailable(`the list of ${kind} has more than ${MAX_PAGES} pages`);
}
