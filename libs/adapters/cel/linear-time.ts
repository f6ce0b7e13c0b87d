import type { ASTNode } from '@marcbachmann/cel-js';

/** Macros that go through a list or map; the first argument names the element. */
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export interface LinearFindings {
  /** Why evaluation could take more than time linear in what the agent sent. */
  readonly problem?: string;
  /** Whether it goes through lists or maps at all. */
  readonly iterates: boolean;
}

/**
 * Agents choose the values that conditions look at, so a condition must not be a lever to stall the broker. Regular expressions are
 * refused, and a macro inside a macro may only go through a part of the outer one's element, because then no element is seen twice.
 */
export function linearProblem(ast: ASTNode): LinearFindings {
  let iterates = false;
  const visit = (node: unknown, elements: ReadonlySet<string>): string | undefined => {
    if (Array.isArray(node)) return first(node, (part) => visit(part, elements));
    if (!isNode(node)) return undefined;
    const { op, args } = node;
    if (op === 'call' || op === 'rcall') {
      const [name, ...rest] = args as [string, ...unknown[]];
      if (name === 'matches') return 'matches() is not available: regular expressions can be made to run for ever';
      if (op === 'rcall' && MACROS.has(name)) {
        const [range, parts] = rest as [ASTNode, ASTNode[]];
        iterates = true;
        if (elements.size > 0 && !isPartOf(range, elements)) return `${name}() inside another macro must go through a part of the element`;
        const variable = parts[0]?.op === 'id' ? parts[0].args : '';
        return visit(range, elements) ?? visit(parts.slice(1), new Set([...elements, variable]));
      }
      return visit(rest, elements);
    }
    if (op === 'in' && elements.size > 0) {
      const [, list] = args as [ASTNode, ASTNode];
      if (list.op !== 'list' && !isPartOf(list, elements))
        return 'in inside a macro must look into a literal list or a part of the element';
    }
    return visit(args, elements);
  };
  const problem = visit(ast, new Set());
  return { ...(problem === undefined ? {} : { problem }), iterates };
}

/** `x`, `x.a`, `x["a"].b` for one of these names. */
function isPartOf(node: ASTNode, names: ReadonlySet<string>): boolean {
  if (node.op === 'id') return names.has(node.args);
  if (node.op === '.' || node.op === '[]') return isPartOf(node.args[0], names);
  return false;
}

function isNode(value: unknown): value is { readonly op: string; readonly args: unknown } {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function first(parts: readonly unknown[], find: (part: unknown) => string | undefined): string | undefined {
  for (const part of parts) {
    const found = find(part);
    if (found !== undefined) return found;
  }
  return undefined;
}
