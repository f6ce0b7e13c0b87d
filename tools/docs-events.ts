import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { catalogue, type EventDefinition } from '#libs/contracts';

// docs/events.md from the catalogue. Run: npx tsx -C source tools/docs-events.ts [--check]

export const EVENTS_FILE = join(import.meta.dirname, '..', 'docs', 'events.md');

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly const?: string | number | boolean;
  readonly format?: string;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** The whole page; what it says depends on the catalogue alone. */
export function renderEvents(events: readonly EventDefinition[] = Object.values(catalogue)): string {
  const sections = events.map(renderEvent);
  return [
    '# Events',
    '',
    'Every fact Holdfast can state. Generated from `libs/contracts/catalogue.ts` by `tools/docs-events.ts`; do not edit.',
    '',
    'All events share one envelope (`libs/contracts/events/envelope.ts`); below is what each carries in `data`, and which values travel',
    'sealed beside it: a salted commitment in the event, the ciphertext next to it. Numbers that may pass 2^53 are decimal text; a',
    'digest is the base64url form of a SHA-256.',
    '',
    '| event | version | stated by | meaning |',
    '|---|---|---|---|',
    ...events.map((event) => `| [\`${event.type}\`](#${anchor(event.type)}) | ${event.version} | ${event.owner} | ${event.sentence} |`),
    '',
    ...sections,
  ].join('\n');
}

function renderEvent(event: EventDefinition): string {
  const schema = z.toJSONSchema(event.data, { io: 'input' }) as JsonSchema;
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => fieldRows(name, member, schema.required?.includes(name) === true));
  return [
    `## ${event.type}`,
    '',
    `${event.sentence} Version ${event.version}, stated by: ${event.owner}. Sealed: ${event.sealed.length === 0 ? 'nothing' : event.sealed.map((path) => `\`${path}\``).join(', ')}.`,
    '',
    '| field | type | |',
    '|---|---|---|',
    ...fields,
    '',
  ].join('\n');
}

function fieldRows(name: string, schema: JsonSchema, required: boolean): string[] {
  const own = `| \`${name}\` | ${typeName(schema)} | ${required ? '' : 'optional'} |`;
  const inner = Object.entries(schema.properties ?? {}).flatMap(([member, value]) => fieldRows(`${name}.${member}`, value, schema.required?.includes(member) === true));
  return [own, ...inner];
}

function typeName(schema: JsonSchema): string {
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'array') return `list of ${typeName(schema.items ?? {})}`;
  if (schema.format === 'uuid') return 'UUID';
  if (schema.pattern?.includes('{43}') === true) return 'digest';
  return [schema.type ?? 'any'].flat().join(' or ');
}

const anchor = (type: string): string => type.replaceAll('.', '');

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const page = renderEvents();
  if (!process.argv.includes('--check')) writeFileSync(EVENTS_FILE, page);
  else if (readFileSync(EVENTS_FILE, 'utf8') !== page) {
    process.stderr.write('docs/events.md is not what the catalogue says; run tools/docs-events.ts\n');
    process.exit(1);
  }
}
