import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { catalogue, defineEvent } from '#libs/contracts';
import { EVENTS_FILE, renderEvents } from './docs-events.ts';

describe('docs/events.md', () => {
  it('is what the catalogue says (run tools/docs-events.ts after changing it)', () => {
    expect(readFileSync(EVENTS_FILE, 'utf8')).toBe(renderEvents());
  });

  it('names every event with its sentence', () => {
    const page = renderEvents();
    for (const { type, sentence } of Object.values(catalogue)) expect(page).toContain(`## ${type}\n\n${sentence}`);
  });

  it('says of each field what it is and whether it may be missing', () => {
    const page = renderEvents([defineEvent({ type: 'x.y', version: 3, owner: 'audit', sentence: 'Something.', sealed: ['/a'], data: z.strictObject({ n: z.int().nullable(), inner: z.strictObject({ list: z.array(z.enum(['p', 'q'])).optional() }) }) })]);
    expect(page).toContain('Version 3, stated by: audit. Sealed: `/a`.');
    expect(page).toContain('| `n` | integer or null |  |');
    expect(page).toContain('| `inner.list` | list of `p`, `q` | optional |');
  });
});
