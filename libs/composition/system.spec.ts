import { describe, expect, it, jest } from '@jest/globals';
import { systemIds } from './system.ts';

describe('systemIds.uuid', () => {
  it('makes increasing, distinct version 7 UUIDs, also many in one millisecond and with the clock set back', () => {
    const now = jest.spyOn(Date, 'now');
    const ids: string[] = [];
    for (const ms of [1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_001]) {
      now.mockReturnValue(ms);
      for (let i = 0; i < 3_000; i++) ids.push(systemIds.uuid());
    }
    now.mockRestore();
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
  });
});
