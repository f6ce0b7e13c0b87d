/** Says whether a name fits. Runs in time linear in the name for each pattern. */
export type Matcher = (name: string) => boolean;

const ANYTHING: Matcher = () => true;
const NOTHING: Matcher = () => false;

/** `*` stands for any run of characters, everything else for itself. There is no other syntax and no way back once a part is placed. */
export function compileGlob(pattern: string): Matcher {
  const parts = pattern.split('*');
  if (parts.length === 1) return (name) => name === pattern;
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  if (first === '' && last === '' && middle.length === 0) return ANYTHING;
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    const end = name.length - last.length;
    let at = first.length;
    // The leftmost place for each part leaves the most room for the rest, so no other place needs to be tried.
    for (const part of middle) {
      const found = name.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** Fits when any pattern fits; no patterns fit nothing. */
export function compileGlobs(patterns: readonly string[]): Matcher {
  if (patterns.length === 0) return NOTHING;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const globs = patterns.filter((pattern) => pattern.includes('*')).map(compileGlob);
  if (globs.includes(ANYTHING)) return ANYTHING;
  return (name) => exact.has(name) || globs.some((glob) => glob(name));
}

/** As {@link compileGlobs}, but an empty or absent list is no restriction at all. */
export function compileRestriction(patterns: readonly string[] | undefined): Matcher {
  return patterns === undefined || patterns.length === 0 ? ANYTHING : compileGlobs(patterns);
}
