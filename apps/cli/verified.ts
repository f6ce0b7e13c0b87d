import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError, EXIT } from './exit-code.ts';

/** What a verification leaves to the next one, opaque here: size, roots and chain of a log that was found whole. */
type Remembered = Readonly<Record<string, unknown>>;

/**
 * The verifier's own memory, a file per person who verifies: by it a log that was cut or replaced since the last time is told from one
 * that only grew. Keep it where the operator of the log cannot write.
 */
export class Verified {
  private readonly logs: Record<string, Remembered>;

  constructor(private readonly file: string) {
    if (!existsSync(file)) {
      this.logs = {};
      return;
    }
    try {
      this.logs = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Remembered>;
    } catch {
      throw new CommandError(EXIT.incomplete, `${file} is damaged; what was verified before is not known`);
    }
  }

  of(tenant: string): Remembered | undefined {
    return this.logs[tenant];
  }

  keep(tenant: string, remembered: Remembered): void {
    this.logs[tenant] = remembered;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, `${JSON.stringify(this.logs, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}
