import { canonicalJson, NotCanonical } from '#libs/contracts';

/**
 * Whether a text is the RFC 8785 form of the value that JSON.parse made of it: then it has no duplicate key, no lone surrogate, no
 * number that prints otherwise and no spare space. Writing the value anew decides; most texts are recognised for half the price.
 */
export function isCanonical(text: string, value: unknown, maxDepth: number): boolean {
  // JSON.stringify writes what JCS writes except for the order of keys, and except for lone surrogates, which it escapes.
  if (inOrder(value, maxDepth) && !text.includes('\\ud') && JSON.stringify(value) === text) return true;
  try {
    return canonicalJson(value, maxDepth) === text;
  } catch (error) {
    if (error instanceof NotCanonical) return false;
    throw error;
  }
}

/** Whether the keys of every object stand in canonical order, and nothing nests too deeply. */
function inOrder(value: unknown, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft === 0) return false;
  if (Array.isArray(value)) return value.every((item) => inOrder(item, depthLeft - 1));
  let previous: string | undefined;
  for (const [key, member] of Object.entries(value)) {
    if (previous !== undefined && previous >= key) return false;
    previous = key;
    if (!inOrder(member, depthLeft - 1)) return false;
  }
  return true;
}
