import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/contracts';
import { loadConfigFile } from './load-config.ts';
import { resolveSecret } from './resolve-secret.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-secret-'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const resolve = (secretRef: string, env: Record<string, string> = {}): string => resolveSecret({ secretRef }, { env, directory });
const refusal = (secretRef: string, env: Record<string, string> = {}): Refusal => {
  try {
    resolve(secretRef, env);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('not refused');
};

describe('resolveSecret', () => {
  it('reads the environment', () => {
    expect(resolve('env:BILLING_TOKEN', { BILLING_TOKEN: 'hunter2' })).toBe('hunter2');
    expect(refusal('env:OTHER', { BILLING_TOKEN: 'hunter2', EMPTY: '' })).toMatchObject({ code: 'config_invalid', detail: 'the environment variable OTHER, named by a secretRef, is not set' });
    expect(refusal('env:EMPTY', { EMPTY: '' }).code).toBe('config_invalid');
  });

  it('reads a file beside the configuration, without the line break at its end and with every other character', () => {
    writeFileSync(join(directory, 'token'), ' hunter2: ümlaut \n');
    expect(resolve('file:token')).toBe(' hunter2: ümlaut ');
    expect(resolve(`file:${join(directory, 'token')}`)).toBe(' hunter2: ümlaut ');
    writeFileSync(join(directory, 'pem'), 'a\nb\n\n');
    expect(resolve('file:pem')).toBe('a\nb\n');
  });

  it('refuses what is no secret, without showing what is there', () => {
    writeFileSync(join(directory, 'empty'), '\n');
    writeFileSync(join(directory, 'large'), 'hunter2'.repeat(10_000));
    for (const [name, detail] of [
      ['missing', /cannot be read \(ENOENT\)/],
      ['.', /is not a file/],
      ['pipe', /is not a file/],
      ['empty', /is empty/],
      ['large', /is larger than 64 KiB/],
    ] as const) {
      const { code, message } = refusal(`file:${name}`);
      expect(code).toBe('config_invalid');
      expect(message).toMatch(detail);
      expect(message).not.toContain('hunter2');
    }
  });

  it('says that the vault is not there yet', () => {
    expect(refusal('vault:billing').message).toMatch(/the vault are not part of this version/);
  });
});

describe('loadConfigFile', () => {
  it.each([
    ['missing.yaml', /cannot be read \(ENOENT\)/],
    ['.', /not a file/],
    ['pipe', /not a file/],
    ['latin1', /not UTF-8/],
    ['huge', /larger than 1 MiB/],
  ])('says what is wrong with %s', (name, message) => {
    writeFileSync(join(directory, 'latin1'), Buffer.from([0x61, 0x3a, 0xe9, 0x0a]));
    writeFileSync(join(directory, 'huge'), Buffer.alloc((1 << 20) + 1, 0x23));
    expect(loadConfigFile(join(directory, name))).toEqual({ ok: false, problems: [{ line: 1, column: 1, path: '', message: expect.stringMatching(message) }] });
  });
});
