import { type DestinationStream, type Logger, pino } from 'pino';

/** Structured log of a process: one JSON object a line, on standard error. */
export type Log = Logger;
export const Log = Symbol('Log');

export interface LogOptions {
  readonly level: string;
  readonly app: string;
  readonly instance?: string;
  readonly destination?: DestinationStream;
}

/** Authorization headers and tokens never reach the log, wherever they stand. */
const REDACTED = ['authorization', 'headers.authorization', 'req.headers.authorization', '*.authorization', 'token', '*.token', 'password', '*.password'];

export function createLog(options: LogOptions): Log {
  return pino(
    { level: options.level, base: { app: options.app, ...(options.instance === undefined ? {} : { instance: options.instance }) }, redact: { paths: REDACTED, censor: '[redacted]' }, timestamp: pino.stdTimeFunctions.isoTime },
    options.destination ?? pino.destination({ fd: 2, sync: false }),
  );
}
