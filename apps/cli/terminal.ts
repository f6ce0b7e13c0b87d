import type { WriteStream } from 'node:tty';

/** Where a command writes: results on standard output, everything for people's eyes only on standard error. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly json: boolean;
  readonly colour: boolean;
  readonly interactive: boolean;
}

export function terminal(json: boolean): Terminal {
  const { stdout, stderr } = process as { stdout: WriteStream; stderr: WriteStream };
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    json,
    colour: !json && stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
    interactive: stderr.isTTY === true,
  };
}

const CODES = { green: 32, red: 31, yellow: 33, dim: 2 } as const;

/** What {@link paint} makes, and nothing else. */
const ESC = '\u001b';
const PAINTED = new RegExp(`^${ESC}\\[\\d+m[A-Z ]*${ESC}\\[0m$`);

export function paint(to: Terminal, colour: keyof typeof CODES, text: string): string {
  return to.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

const LONGEST_BUT_LAST = 60;

/**
 * Text of others on one line: agents choose the names they call, and a name must not move the cursor, colour a line or turn the
 * direction of reading in front of whoever reads the log.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Rows under headings, columns as wide as their longest cell; only the last one may be very long. Cells are plain but for our own colours. */
export function table(headings: readonly string[], given: readonly (readonly string[])[]): string {
  const cellOf = (text: string, last: boolean): string => {
    const cell = PAINTED.test(text) ? text : plain(text);
    return last || cell.length <= LONGEST_BUT_LAST ? cell : `${cell.slice(0, LONGEST_BUT_LAST - 1)}…`;
  };
  const rows = given.map((row) => row.map((cell, i) => cellOf(cell, i === row.length - 1)));
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  ').trimEnd();
  return [line(headings), ...rows.map(line)].map((text) => `${text}\n`).join('');
}

const BAR = 30;

/** Shows how far a long action is: a bar on a terminal, a line every tenth of the way elsewhere. */
export function progressBar(to: Terminal, label: string): { update(done: number, total: number): void; end(): void } {
  let lastTenth = -1;
  return {
    update: (done, total) => {
      const part = total === 0 ? 1 : Math.min(1, done / total);
      if (to.interactive) {
        const filled = Math.round(part * BAR);
        to.err(`\r${label} [${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${done}/${total}`);
      } else if (Math.floor(part * 10) > lastTenth) {
        lastTenth = Math.floor(part * 10);
        to.err(`${label} ${done}/${total}\n`);
      }
    },
    end: () => {
      if (to.interactive) to.err(`\r${' '.repeat(label.length + BAR + 40)}\r`);
    },
  };
}
