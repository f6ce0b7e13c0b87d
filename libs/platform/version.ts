import { createRequire } from 'node:module';

/** The version of the product, as package.json at its root says; from source it is two folders up, from a build three. */
export const VERSION: string = version();

function version(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const found = require(path) as { name?: string; version: string };
      if (found.name === 'holdfast') return found.version;
    } catch {
      // Not there: the other one is.
    }
  }
  throw new Error('package.json is missing');
}
