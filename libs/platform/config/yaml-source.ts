import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { type ConfigPath, type ConfigProblem, shown } from './problem.ts';

export const MAX_CONFIG_BYTES = 1 << 20;
/** How often aliases may be used in all, counted after expansion: enough for a tidy file, too few for a bomb. */
const MAX_ALIASES = 100;

const TOO_DEEP = 'the file is nested too deeply';
const TOO_MANY_ALIASES = 'the file uses too many aliases';

/** What the parser's error codes mean, in words that repeat nothing from the file (its own messages do). */
const SENTENCES: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias names no anchor',
  BAD_DQ_ESCAPE: 'this escape is not known in double quotes',
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'a text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested list or map cannot stand on the line of its key',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets or braces',
  MISSING_CHAR: 'something is missing here, such as a closing quote, bracket, comma or colon',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon or a quote missing?',
  MULTIPLE_DOCS: 'the file holds more than one document',
  NON_STRING_KEY: 'a key must be a text; put it in quotes',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags are not known here',
  UNEXPECTED_TOKEN: 'this does not belong here; is a colon, a comma or a quote missing?',
};

/** A parsed file: its value, and where in the text each part of it stands. */
export class YamlSource {
  private constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
    readonly value: unknown,
  ) {}

  /** The source, or what keeps the text from being one. */
  static parse(text: string): YamlSource | readonly ConfigProblem[] {
    const whole = (message: string): readonly ConfigProblem[] => [{ line: 1, column: 1, path: '', message }];
    if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) return whole(`the file is larger than ${MAX_CONFIG_BYTES >> 20} MiB`);
    const lines = new LineCounter();
    try {
      const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false, version: '1.2', schema: 'core' });
      const wrong = [...document.errors, ...document.warnings];
      if (wrong.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return whole(TOO_DEEP);
      if (wrong.length > 0) {
        return wrong.map(({ code, pos }) => {
          const { line, col } = lines.linePos(pos[0]);
          return { line: Math.max(1, line), column: Math.max(1, col), path: '', message: SENTENCES[code] ?? 'this is not YAML' };
        });
      }
      const problems = keysAndAliases(document, lines);
      if (problems.length > 0) return problems;
      return new YamlSource(document, lines, document.toJS({ maxAliasCount: MAX_ALIASES }));
    } catch (error) {
      // The library says both with exceptions: too many aliases as a ReferenceError, too deep nesting by running out of stack.
      if (error instanceof ReferenceError) return whole(TOO_MANY_ALIASES);
      if (error instanceof RangeError) return whole(TOO_DEEP);
      throw error;
    }
  }

  /** Where the value at a path stands, or the key of the deepest part of the path that exists. */
  locate(path: ConfigPath): { readonly line: number; readonly column: number } {
    let node: unknown = this.document.contents;
    let offset = startOf(node) ?? 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step) as Pair<unknown, unknown> | undefined;
        if (!pair) break;
        // A key is the better place to look at than a value that may begin on the next line; a scalar is better than its key.
        offset = (depth === path.length - 1 && isScalar(pair.value) && startOf(pair.value) !== undefined ? startOf(pair.value) : startOf(pair.key)) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
        node = node.items[step];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return this.position(offset);
  }

  /** Where a key of the map at a path stands. */
  locateKey(path: ConfigPath, key: string): { readonly line: number; readonly column: number } {
    let node: unknown = this.document.contents;
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(this.document);
      node = isMap(node) || isSeq(node) ? node.get(step, true) : undefined;
    }
    if (isAlias(node)) node = node.resolve(this.document);
    const pair = isMap(node) ? node.items.find((one) => (isScalar(one.key) ? one.key.value : one.key) === key) : undefined;
    const offset = startOf(pair?.key);
    return offset === undefined ? this.locate(path) : this.position(offset);
  }

  private position(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/**
 * Keys that stand in a map twice and aliases that name nothing. The parser could find the former, but it compares each key with
 * each other one and takes minutes for a file full of keys.
 */
function keysAndAliases(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (node: unknown, message: string): void => {
    const { line, col } = lines.linePos(startOf(node) ?? 0);
    problems.push({ line, column: col, path: '', message });
  };
  let aliases = 0;
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) add(key, `the key ${shown(String(name))} stands in this map twice`);
        seen.add(name);
      }
    },
    Alias(_, alias) {
      aliases += 1;
      if (aliases > MAX_ALIASES) {
        add(alias, TOO_MANY_ALIASES);
        return visit.BREAK;
      }
      if (!alias.resolve(document)) add(alias, 'this alias names no anchor');
      return undefined;
    },
  });
  return problems;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
