import type { ParseArgsConfig } from 'node:util';
import type { Values } from './arguments.ts';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly values: Values;
  readonly words: readonly string[];
  readonly to: Terminal;
  readonly env: NodeJS.ProcessEnv;
}

/** One command of `holdfast`: its name as typed, a sentence, an example that a test runs, its own options, and what it does. */
export interface Command {
  readonly name: string;
  readonly arguments?: string;
  readonly sentence: string;
  readonly example: string;
  readonly options?: NonNullable<ParseArgsConfig['options']>;
  readonly positionals?: number;
  run(context: CommandContext): Promise<ExitCode>;
}
