import { parse } from './arguments.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { CommandError, EXIT, type ExitCode } from './exit-code.ts';
import { terminal } from './terminal.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<ExitCode> {
  const json = words.includes('--json');
  const to = terminal(json);
  try {
    if (words.length === 0 || words[0] === 'help' || words[0] === '--help' || words[0] === '-h') {
      to.out(usage());
      return EXIT.ok;
    }
    const command = find(words);
    const { values, words: rest } = parse(words.slice(command.name.split(' ').length), command.options ?? {}, command.positionals ?? 0);
    if (values['help']) {
      to.out(usageOf(command));
      return EXIT.ok;
    }
    return await command.run({ values, words: rest, to, env: process.env });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    to.err(json ? `${JSON.stringify({ error: error.message, exit: error.exit })}\n` : `holdfast: ${error.message}\n`);
    return error.exit;
  }
}

/** The command with the longest name that the words begin with. */
function find(words: readonly string[]): Command {
  const fitting = commands.filter((command) => command.name.split(' ').every((word, i) => words[i] === word));
  const best = fitting.sort((a, b) => b.name.length - a.name.length)[0];
  if (best) return best;
  throw new CommandError(EXIT.usage, `there is no command "${words.filter((word) => !word.startsWith('-')).slice(0, 2).join(' ')}"; holdfast help lists them`);
}

function usage(): string {
  const names = commands.map((command) => `${command.name}${command.arguments ? ` ${command.arguments}` : ''}`);
  const width = Math.max(...names.map((name) => name.length), 'start'.length);
  const lines = commands.map((command, i) => `  ${names[i]!.padEnd(width)}  ${command.sentence}`);
  return [
    'holdfast: the audit and approval backend for AI agents\n',
    `  ${'start'.padEnd(width)}  Start everything on this machine (the same as npm start).`,
    ...lines,
    '\nEvery command takes --url, --token, --tenant, --json and --help. HOLDFAST_URL and HOLDFAST_TOKEN stand in for the first two; where an',
    'embedded Holdfast was started (or with its HOLDFAST_DATA) both are found. Exit codes: 0 ok, 1 failed check or refused, 2 usage,',
    '3 incomplete, 69 service unavailable, 78 configuration.\n',
  ].join('\n');
}

function usageOf(command: Command): string {
  const options = Object.entries(command.options ?? {}).map(([name, option]) => `  --${name}${option.type === 'string' ? ' VALUE' : ''}`);
  return [`holdfast ${command.name}${command.arguments ? ` ${command.arguments}` : ''}\n`, command.sentence, ...(options.length > 0 ? ['', ...options] : []), '', `Example: ${command.example}\n`].join('\n');
}
