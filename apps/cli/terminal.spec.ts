import { describe, expect, it } from '@jest/globals';
import { paint, table, type Terminal } from './terminal.ts';

const colourful: Terminal = { out: () => undefined, err: () => undefined, json: false, colour: true, interactive: true };

describe('tables', () => {
  it('show names that agents chose without letting them write on the terminal', () => {
    const shown = table(['TOOL', 'OUTCOME'], [['\u001b[2J\u009b31mpwn\u202e\n', 'de\u0007nied\r']]);
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(shown.split('\n')).toHaveLength(3);
    expect(shown).toContain('\\u{1b}[2J\\u{9b}31mpwn\\u{202e}\\u{a}');
  });

  it('keep our own colours, and only those', () => {
    expect(table(['RESULT', 'X'], [[paint(colourful, 'red', 'FAIL'), '']])).toContain('\u001b[31mFAIL\u001b[0m');
    expect(table(['RESULT', 'X'], [['\u001b[31mA\u001b[2J\u001b[0m', '']])).not.toContain('\u001b');
  });

  it('stay readable beside a very long name', () => {
    const [, row] = table(['TOOL', 'OUTCOME'], [['x'.repeat(3_000), 'denied']]).split('\n');
    expect(row).toBe(`${'x'.repeat(59)}…  denied`);
  });
});
