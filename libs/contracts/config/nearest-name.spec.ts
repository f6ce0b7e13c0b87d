import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest-name.ts';

const known = ['transport', 'tenant', 'tenants', 'url', 'id', 'requesterReason'];

describe('nearestName', () => {
  it.each([
    ['trasnport', 'transport'],
    ['Transport', 'transport'],
    ['tenats', 'tenants'],
    ['tenant', 'tenant'],
    ['ulr', 'url'],
    ['requestersReasn', 'requesterReason'],
    ['idd', 'id'],
  ])('%s means %s', (typed, meant) => {
    expect(nearestName(typed, known)).toBe(meant);
  });

  it.each(['colour', 'xyz', '', 'x'.repeat(5000)])('%s means nothing here', (typed) => {
    expect(nearestName(typed, known)).toBeUndefined();
  });
});
