/** One place in which two values differ. */
export interface Difference {
  /** A JSON pointer; the empty one is the whole value. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

/** More of them, and it is another call. */
const MOST = 200;

/** Where two JSON values differ, place by place; `more` when there are further ones. */
export function compare(before: unknown, after: unknown): { readonly differences: readonly Difference[]; readonly more: boolean } {
  const differences: Difference[] = [];
  let more = false;
  const visit = (a: unknown, b: unknown, path: string): void => {
    if (differences.length >= MOST) {
      more ||= JSON.stringify(a) !== JSON.stringify(b);
      return;
    }
    if (isContainer(a) && isContainer(b) && Array.isArray(a) === Array.isArray(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        const place = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        if (!Object.hasOwn(a, key)) add({ path: place, kind: 'added', after: b[key] });
        else if (!Object.hasOwn(b, key)) add({ path: place, kind: 'removed', before: a[key] });
        else visit(a[key], b[key], place);
      }
    } else if (JSON.stringify(a) !== JSON.stringify(b)) add({ path, kind: 'changed', before: a, after: b });
  };
  const add = (difference: Difference): void => {
    if (differences.length < MOST) differences.push(difference);
    else more = true;
  };
  visit(before, after, '');
  return { differences, more };
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
