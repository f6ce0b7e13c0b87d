import { describe, expect, it } from '@jest/globals';
import { AjvArgumentValidator } from './ajv-argument-validator.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string', minLength: 2 },
    mail: { type: 'string', format: 'email' },
    lines: { type: 'array', items: { type: 'object', required: ['sku'] } },
  },
  required: ['id'],
  additionalProperties: false,
};

describe('argument validation', () => {
  it('accepts what fits', () => {
    expect(new AjvArgumentValidator().check('a', SCHEMA, { id: 'ab', mail: 'a@b.test', lines: [{ sku: 1 }] })).toBeNull();
  });

  it.each([
    [{}, 'The arguments: lacks the property id.', 'required'],
    [{ id: 'SECRET-IN-A-NUMBER'.length }, '/id: must be string.', 'type'],
    [{ id: 'ab', mail: 'SECRET' }, '/mail: must match format "email".', 'format'],
    [{ id: 'ab', SECRET: 1 }, 'The arguments: holds a property that is not allowed.', 'additionalProperties'],
    [{ id: 'ab', lines: [{}] }, '/lines/0: lacks the property sku.', 'required'],
  ])('names place and rule of %j, never a value', (args, told, keyword) => {
    const problem = new AjvArgumentValidator().check('a', SCHEMA, args);
    expect(problem?.told).toBe(told);
    expect(problem?.recorded).toContain(keyword);
    expect(JSON.stringify(problem)).not.toContain('SECRET');
  });

  it('does not take inherited members for arguments', () => {
    const problem = new AjvArgumentValidator().check('p', { type: 'object', required: ['toString'] }, {});
    expect(problem?.told).toContain('toString');
  });

  it('speaks draft-07 where the schema says so, and 2020-12 otherwise', () => {
    const validator = new AjvArgumentValidator();
    const older = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { t: { type: 'array', items: [{ type: 'string' }] } },
    };
    const newer = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { t: { type: 'array', prefixItems: [{ type: 'string' }] } },
    };
    for (const [hash, schema] of [
      ['7', older],
      ['20', newer],
      ['?', { ...newer, $schema: 'https://example.test/own-dialect' }],
    ] as const) {
      expect(validator.check(hash, schema, { t: ['x'] })).toBeNull();
      expect(validator.check(hash, schema, { t: [1] })?.told).toContain('/t/0');
    }
  });

  it('refuses every call of a tool whose schema cannot be used', () => {
    const validator = new AjvArgumentValidator();
    for (const [hash, schema] of [
      ['r', { $ref: 'https://elsewhere.test/schema' }],
      ['t', { type: 'nonsense' }],
    ] as const) {
      expect(validator.check(hash, schema, {})?.told).toContain('cannot be used');
      expect(validator.check(hash, schema, {})?.told).toContain('cannot be used');
    }
  });

  it('keeps tools with the same $id apart', () => {
    const validator = new AjvArgumentValidator();
    expect(validator.check('1', { $id: 'x', type: 'object', required: ['a'] }, { b: 1 })?.told).toContain('a');
    expect(validator.check('2', { $id: 'x', type: 'object', required: ['b'] }, { b: 1 })).toBeNull();
  });
});
