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

export function paint(to: Terminal, colour: keyof typeof CODES, text: string): string {
  return to.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** Rows under headings, columns as wide as their longest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
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
