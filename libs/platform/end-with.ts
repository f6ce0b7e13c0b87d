import { writeSync } from 'node:fs';
import { Refusal } from '#libs/contracts';
import { sentenceOf } from './http/create-app.ts';

/** Ends the process with a sentence on standard error. Written synchronously: nothing is lost on the way out. */
export function endWith(code: number, sentence: string): never {
  writeSync(2, `holdfast: ${sentence}\n`);
  process.exit(code);
}

const CONFIGURATION: ReadonlySet<string> = new Set(['config_invalid', 'environment_invalid', 'mode_not_available']);

/** Ends a start that did not succeed: an expected refusal with its sentence and code, a fault with its stack. */
export function endStart(error: unknown): never {
  if (!(error instanceof Refusal)) return endWith(70, error instanceof Error ? (error.stack ?? error.message) : String(error));
  return endWith(CONFIGURATION.has(error.code) ? 78 : 1, sentenceOf(error));
}
