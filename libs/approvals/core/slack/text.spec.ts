import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { left, shortDigest, slackText } from './text.ts';

describe('text of anybody', () => {
  it.each([
    ['<!channel>', '&lt;!channel&gt;'],
    ['<!here|here>', '&lt;!here|here&gt;'],
    ['<@U024BE7LH>', '&lt;@\u2060U024BE7LH&gt;'],
    ['<#C024BE7LR>', '&lt;#C024BE7LR&gt;'],
    ['<https://evil.test|https://good.test>', '&lt;https:\u2060//evil.test|https:\u2060//good.test&gt;'],
    ['@channel', '@\u2060channel'],
    ['&lt;!channel&gt;', '&amp;lt;!channel&amp;gt;'],
    ['<!date^0^{date}|x>', '&lt;!date^0^{date}|x&gt;'],
    ['approve\u202Eyned', 'approve\uFFFDyned'],
    ['a\u200Bb\u0000c\uFEFF', 'a\uFFFDb\uFFFDc '],
    ['tag\u{E0041}', 'tag\uFFFD'],
    ['lone\uD800', 'lone\uFFFD'],
    ['two\nlines', 'two lines'],
    ['kübra 日本 🙂', 'kübra 日本 🙂'],
  ])('%j is shown as %j', (text, shown) => {
    expect(slackText(text, 200)).toBe(shown);
  });

  it('keeps its lines where it may have several', () => {
    expect(slackText('a\r\nb\nc', 200, 'many')).toBe('a\nb\nc');
  });

  it('is cut where it is too long, never inside of an entity or a character', () => {
    expect(slackText('abcdef', 6)).toBe('abcdef');
    expect(slackText('abcdefg', 6)).toBe('abcde…');
    expect(slackText('abc<<<', 12)).toBe('abc&lt;&lt;…');
    expect(slackText('🙂🙂🙂', 4)).toBe('🙂…');
  });

  it('is bounded and free of markup whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 300 }), (text, max) => {
        const shown = slackText(text, max);
        expect(shown.length).toBeLessThanOrEqual(max);
        expect(shown).not.toMatch(/[<>\p{Cc}]|&(?!(amp|lt|gt);)|:\/\//u);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('what people compare and count', () => {
  it('is the beginning of the digest in hexadecimal', () => {
    const digest = Buffer.from('0123456789abcdef'.repeat(4), 'hex').toString('base64url');
    expect(shortDigest(digest)).toBe('0123456789ab');
    expect(shortDigest(Buffer.from('00ff'.repeat(16), 'hex').toString('base64url'))).toBe('00ff00ff00ff');
  });

  it.each([
    [0, 'less than a minute'],
    [59_999, 'less than a minute'],
    [60_000, '1 min'],
    [119 * 60_000, '119 min'],
    [120 * 60_000, '2 h'],
    [49 * 3_600_000, '2 days'],
    [-5, 'less than a minute'],
  ])('%d ms: %s', (ms, words) => {
    expect(left(1_000 + ms, 1_000)).toBe(words);
  });
});
