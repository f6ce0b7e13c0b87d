/** One thing that is wrong in holdfast.yaml. It names places and known words, and never repeats a value from the file. */
export interface ConfigProblem {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** Such as `servers[0].transport.url`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The known word that is most likely meant. */
  readonly suggestion?: string;
}

export type ConfigPath = readonly (string | number)[];

export function pathText(path: ConfigPath): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${shown(step)}`)).join('');
}

/** A key as it may be shown: short, and of characters that cannot disturb a terminal. */
export function shown(key: string): string {
  return /^[\w $./*@:-]{1,60}$/.test(key) ? key : '?';
}

/** One line a problem, as compilers write them, so that editors and terminals can jump to the place. */
export function describeProblems(file: string, problems: readonly ConfigProblem[]): string[] {
  return problems.map(({ line, column, path, message, suggestion }) => {
    const place = path === '' ? '' : ` ${path}:`;
    return `${file}:${line}:${column}:${place} ${message}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  });
}
