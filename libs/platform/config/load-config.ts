import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { configJsonSchema, HoldfastConfig } from '#libs/contracts';
import { checkReferences } from './check-references.ts';
import { type Explained, explainIssue } from './explain-issue.ts';
import { type ConfigProblem, pathText } from './problem.ts';
import { MAX_CONFIG_BYTES, YamlSource } from './yaml-source.ts';

export type LoadedConfig = { readonly ok: true; readonly config: HoldfastConfig } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** More do not help anybody; the rest is found in the next run. */
const MAX_PROBLEMS = 100;

/** Text of holdfast.yaml to a whole configuration with all defaults, or everything that is wrong with it, sorted by line. */
export function loadConfig(text: string): LoadedConfig {
  const source = YamlSource.parse(text);
  if (!(source instanceof YamlSource)) return refused(source);
  const parsed = HoldfastConfig.safeParse(source.value);
  const explained: Explained[] = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, configJsonSchema(), source.value));
  explained.push(...checkReferences(source.value, (path) => source.locate(path).line));
  if (parsed.success && explained.length === 0) return { ok: true, config: parsed.data };
  return refused(
    explained.map(({ path, key, message, suggestion }) => ({
      ...(key === undefined ? source.locate(path) : source.locateKey(path, key)),
      path: pathText(key === undefined ? path : [...path, key]),
      message,
      ...(suggestion !== undefined && { suggestion }),
    })),
  );
}

/** The same for a file. */
export function loadConfigFile(file: string): LoadedConfig {
  const bytes = readBounded(file);
  if (typeof bytes === 'string') return refused([{ line: 1, column: 1, path: '', message: bytes }]);
  return loadConfig(new TextDecoder().decode(bytes));
}

/** The bytes of the file, or why there are none. */
function readBounded(file: string): Uint8Array | string {
  let descriptor: number | undefined;
  try {
    // Not blocking: opening a pipe that nobody writes to would wait for ever.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const about = fstatSync(descriptor);
    if (!about.isFile()) return 'this is not a file';
    if (about.size > MAX_CONFIG_BYTES) return `the file is larger than ${MAX_CONFIG_BYTES >> 20} MiB`;
    const bytes = readFileSync(descriptor);
    return isUtf8(bytes) ? bytes : 'the file is not UTF-8';
  } catch (error) {
    return `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function refused(problems: readonly ConfigProblem[]): LoadedConfig {
  // One mistake can break the same place many times over.
  const distinct = [...new Map(problems.map((problem) => [`${problem.line}:${problem.column}:${problem.path}:${problem.message}`, problem])).values()];
  return { ok: false, problems: distinct.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_PROBLEMS) };
}
