// Writes docs/holdfast.schema.json, which editors complete and check holdfast.yaml with. Run: npx tsx -C source tools/docs-schema.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '#libs/contracts';

const file = join(import.meta.dirname, '..', 'docs', 'holdfast.schema.json');
const wanted = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== wanted) {
    console.error('docs/holdfast.schema.json is not what libs/contracts says: run npx tsx -C source tools/docs-schema.ts');
    process.exitCode = 1;
  }
} else writeFileSync(file, wanted);
