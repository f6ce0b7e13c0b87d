/** Deeper than anybody describes a tool, and far from where writing a value as JSON runs out of room. */
const MAX_DEPTH = 256;

/** Whether a parsed value can be written again: reading JSON has no bound of depth, writing it has. */
export function writable(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  for (const member of Object.values(value)) if (!writable(member, depth - 1)) return false;
  return true;
}
