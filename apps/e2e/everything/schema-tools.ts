import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';

/** Every keyword that a relay might lose: a dialect, definitions with an anchor, compositions, conditions. */
const CONTACT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;

/** In the modern era a client repeats the argument `region` in the header `Mcp-Param-Region`. */
const ROUTED = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, query: { type: 'string' } },
  required: ['region'],
} as const;

/** Tools whose input schema says more than types. */
export function addSchemaTools(server: McpServer): void {
  server.registerTool('json_schema_2020_12_tool', { description: 'Takes a contact, described with everything JSON Schema has.', inputSchema: fromJsonSchema<Record<string, unknown>>(CONTACT) }, (contact) => ({
    content: [{ type: 'text', text: JSON.stringify(contact) }],
  }));
  server.registerTool('test_custom_header', { description: 'Takes a region that also stands in a header.', inputSchema: fromJsonSchema<{ region: string }>(ROUTED) }, ({ region }) => ({
    content: [{ type: 'text', text: `Region: ${region}` }],
  }));
}
