import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError, EXIT } from './exit-code.ts';

/** Options that every command takes. */
export const COMMON = {
  url: { type: 'string' },
  token: { type: 'string' },
  tenant: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsConfig['options'];

export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** Parses the words of one command; what it does not know is a usage error that names it. */
export function parse(words: readonly string[], own: NonNullable<ParseArgsConfig['options']>, positionals: number): { readonly values: Values; readonly words: readonly string[] } {
  try {
    const parsed = parseArgs({ args: [...words], options: { ...COMMON, ...own }, allowPositionals: positionals > 0, strict: true });
    if (!parsed.values.help && parsed.positionals.length !== positionals) throw new CommandError(EXIT.usage, `expected ${positionals} argument${positionals === 1 ? '' : 's'}, got ${parsed.positionals.length}`);
    return { values: parsed.values as Values, words: parsed.positionals };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.usage, error instanceof Error ? error.message.split('. To specify')[0]! : 'wrong usage');
  }
}
