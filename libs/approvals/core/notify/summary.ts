import { Detector } from '#libs/contracts';
import { redactText } from '../redact/redact.ts';

const MAX_LINES = 12;
const MAX_VALUE = 80;
const MAX_NAME = 40;

/** Arguments as they may lie in other people's systems: a line for each member, redacted whatever policy says, and short. */
export function summaryOf(args: Readonly<Record<string, unknown>> | null | undefined): readonly string[] {
  const members = Object.entries(args ?? {});
  const lines = members.slice(0, MAX_LINES).map(([name, value]) => `${cut(name, MAX_NAME)}: ${cut(redactText(plain(value), Detector.options).value, MAX_VALUE)}`);
  return members.length > MAX_LINES ? [...lines, `and ${members.length - MAX_LINES} more`] : lines;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Cut after it was redacted: half a secret is none that a detector knows. */
function cut(text: string, max: number): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  if (line.length <= max) return line;
  const short = line.slice(0, max - 1);
  return `${short.isWellFormed() ? short : short.slice(0, -1)}…`;
}
