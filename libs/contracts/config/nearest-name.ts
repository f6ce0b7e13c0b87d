/** The known name that a mistyped one most likely means: at most 2 edits away, 3 for long names. Ties go to the first. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const typed = name.slice(0, 100).toLowerCase();
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const allowed = Math.min(typed.length, candidate.length) >= 10 ? 3 : Math.min(2, Math.floor(Math.max(typed.length, candidate.length) / 2));
    const edits = editsBetween(typed, candidate.toLowerCase());
    if (edits <= allowed && (!best || edits < best.edits)) best = { name: candidate, edits };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other. */
function editsBetween(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(row[j - 1]! + 1, last![j]! + 1, last![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, beforeLast![j - 2]! + 1);
      row.push(edits);
    }
    [beforeLast, last] = [last, row];
  }
  return last![b.length]!;
}
