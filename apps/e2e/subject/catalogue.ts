type Json = Readonly<Record<string, unknown>>;

const takes = (properties: Json, required: readonly string[] = []): Json => ({ type: 'object', properties, required });
const marker = { marker: { type: 'string' } };

export const RESOURCE = 'subject://häuser/a%20b/c d?x=1&y=%2F#frag';
const ICONS = [{ src: 'data:image/png;base64,iVBORw0KGgo=', mimeType: 'image/png', sizes: ['16x16', 'any'], theme: 'dark' }];

/** Everything that a definition can have, and things that nobody has defined yet. */
const EXACT: Json = {
  name: 'exact',
  title: 'Exactly as it is',
  description: 'Zeile eins\nZeile zwei — "quoted" \\ ünïcödé 😀',
  icons: ICONS,
  annotations: { title: 'Also this', readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false, 'vendor-hint': [1] },
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://subject.test/exact',
    $comment: 'kept',
    type: 'object',
    $defs: { node: { $anchor: 'node', type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
    properties: {
      tree: { $ref: '#/$defs/node' },
      either: { oneOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }], default: null, examples: [null, '2026-07-28T00:00:00Z'], deprecated: true },
      list: { type: 'array', prefixItems: [{ const: 0 }], items: { enum: [1, 'two', null] }, uniqueItems: true, minItems: 0, contains: { type: 'number' } },
      number: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.01, maximum: 1e3 },
    },
    patternProperties: { '^x-': true },
    dependentRequired: { tree: ['list'] },
    dependentSchemas: { list: { minProperties: 1 } },
    not: { required: ['never'] },
    propertyNames: { maxLength: 40 },
    unevaluatedProperties: false,
    'x-vendor': { deep: [null, { a: 1 }] },
  },
  outputSchema: { type: 'object', properties: { ok: { type: 'boolean', description: 'ökay' } }, required: ['ok'], additionalProperties: true },
  _meta: { 'vendor/tool': { y: [1, null, 'é'] } },
  unknownMember: { kept: true },
};

/** A result with every kind of content, and members nobody has defined yet. */
export const CONTENT: Json = {
  content: [
    { type: 'text', text: 'text', annotations: { audience: ['user', 'assistant'], priority: 0.5, lastModified: '2026-07-28T00:00:00Z' }, _meta: { 'vendor/c': null } },
    { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' },
    { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' },
    { type: 'resource', resource: { uri: RESOURCE, mimeType: 'text/plain', text: '\u2028 line' } },
    { type: 'resource', resource: { uri: 'subject://blob', blob: 'AAEC' } },
    { type: 'resource_link', uri: RESOURCE, name: 'link', title: 'Link', icons: ICONS, size: 12_345, description: '', mimeType: 'a/b' },
  ],
  structuredContent: { ok: true, nothing: null, list: [], number: 1.5e300, 'ké y': '' },
  _meta: { 'vendor/result': { z: [] } },
  unknownMember: 0,
};

export const SUBJECT_TOOLS: readonly Json[] = [
  EXACT,
  { name: 'bare', inputSchema: { type: 'object' } },
  { name: 'echo', inputSchema: { type: 'object', additionalProperties: true } },
  { name: 'fail', inputSchema: takes({ ...marker, code: { type: 'integer' } }, ['code']) },
  { name: 'fail-tool', inputSchema: { type: 'object' } },
  { name: 'progress', inputSchema: takes(marker, ['marker']) },
  { name: 'wait', inputSchema: takes(marker, ['marker']) },
  { name: 'release', inputSchema: takes({ ...marker, markers: { type: 'array', items: { type: 'string' } } }) },
  { name: 'seen', inputSchema: { type: 'object' } },
  { name: 'big', inputSchema: takes({ bytes: { type: 'integer' } }, ['bytes']) },
  { name: 'size', inputSchema: takes({ text: { type: 'string' } }, ['text']) },
  { name: 'die', inputSchema: takes(marker) },
  { name: 'ask', inputSchema: { type: 'object' } },
  { name: 'change', inputSchema: { type: 'object' } },
  { name: 'update', inputSchema: takes(marker) },
  { name: 'log', inputSchema: takes(marker) },
];

export const PROMPT: Json = {
  name: 'greet',
  title: 'Greet',
  description: 'Grüße',
  icons: ICONS,
  arguments: [{ name: 'who', title: 'Who', description: 'Wer', required: false }, { name: 'how' }],
  _meta: { 'vendor/prompt': [null] },
};

export const RESOURCES: readonly Json[] = [
  { uri: RESOURCE, name: 'häuser', title: 'Häuser', size: 9_007_199_254_740_991, mimeType: 'text/plain', icons: ICONS, annotations: { audience: ['user'], priority: 1 }, _meta: { 'vendor/resource': 1 } },
  { uri: 'subject://two', name: 'two' },
];

export const TEMPLATE: Json = { uriTemplate: 'subject://of/{who}{?how*}', name: 'of', title: 'Of', icons: ICONS, _meta: { 'vendor/template': null } };
