import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Refusal, type SecretRef } from '#libs/contracts';

const MAX_SECRET_BYTES = 64 << 10;

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to: the folder of holdfast.yaml. */
  readonly directory: string;
}

/**
 * The secret that a reference names. Of a file, one line break at its end does not belong to the secret, because editors and
 * `echo` write one. Refuses with config_invalid, naming the source and never what is in it.
 */
export function resolveSecret({ secretRef }: SecretRef, { env, directory }: SecretSources): string {
  const colon = secretRef.indexOf(':');
  const [source, name] = [secretRef.slice(0, colon), secretRef.slice(colon + 1)];
  if (source === 'env') {
    const secret = env[name];
    if (secret === undefined || secret === '') throw new Refusal('config_invalid', `the environment variable ${name}, named by a secretRef, is not set`);
    return secret;
  }
  if (source === 'file') return fromFile(name, directory);
  throw new Refusal('config_invalid', `secrets from ${source === 'vault' ? 'the vault' : 'this source'} are not part of this version; use env:NAME or file:PATH`);
}

function fromFile(path: string, directory: string): string {
  const place = `the file ${path}, named by a secretRef,`;
  let descriptor: number;
  try {
    // Not blocking: opening a pipe that nobody writes to would wait for ever.
    descriptor = openSync(resolve(directory, path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new Refusal('config_invalid', `${place} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
  try {
    const about = fstatSync(descriptor);
    if (!about.isFile()) throw new Refusal('config_invalid', `${place} is not a file`);
    if (about.size > MAX_SECRET_BYTES) throw new Refusal('config_invalid', `${place} is larger than ${MAX_SECRET_BYTES >> 10} KiB`);
    const secret = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '');
    if (secret === '') throw new Refusal('config_invalid', `${place} is empty`);
    return secret;
  } finally {
    closeSync(descriptor);
  }
}
