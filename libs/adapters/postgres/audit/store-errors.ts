import { StoreUnavailable } from '#libs/audit/core';

/** SQLSTATE classes that pass by themselves: connection, transaction rollback, resources, operator intervention, system error. */
const PASSING_CLASSES = new Set(['08', '40', '53', '57', '58']);
const PASSING_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', '55P03']);
const PASSING_MESSAGES = /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|not queryable/i;

/** Whether the database may do the same thing later. */
export function isPassing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined && (PASSING_CODES.has(code) || (code.length === 5 && PASSING_CLASSES.has(code.slice(0, 2))))) return true;
  return PASSING_MESSAGES.test(message ?? '');
}

/** Throws the error as what it means for the caller. */
export function rethrow(error: unknown): never {
  throw isPassing(error) ? new StoreUnavailable(error) : error;
}
