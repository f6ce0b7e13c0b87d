#!/usr/bin/env node
// The `holdfast` command in a clone: what `npm start` built.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const app = process.argv[2] === 'start' ? 'solo' : 'cli';
if (app === 'solo') process.argv.splice(2, 1);
const main = join(import.meta.dirname, '..', 'dist', 'apps', app, 'main.js');
if (!existsSync(main)) {
  console.error('holdfast: not built yet; run npm start once');
  process.exit(69);
}
await import(main);
