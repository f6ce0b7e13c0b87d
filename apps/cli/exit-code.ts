/** The exit codes of the command line; scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** A check failed, or the server refused. */
  failed: 1,
  usage: 2,
  /** Something was not checked. */
  incomplete: 3,
  unavailable: 69,
  configuration: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence and a code. */
export class CommandError extends Error {
  constructor(
    readonly exit: ExitCode,
    message: string,
  ) {
    super(message);
    this.name = 'CommandError';
  }
}
