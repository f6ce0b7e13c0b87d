import { describe, expect, it } from '@jest/globals';
import { html } from './html.ts';

describe('html', () => {
  it('takes every value for text, but for what it made itself', () => {
    const name = `<img src=x onerror="alert('1')">&`;
    expect(html`<p title="${name}">${name}${html`<b>${1}</b>`}${['a', html`<i></i>`]}${null}${false}${undefined}</p>`.text).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;">&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;<b>1</b>a<i></i></p>',
    );
  });

  it('shows what would hide or turn what is read', () => {
    expect(html`${'pay \u202e001\u202c \u200bx\u0007\u2028'}`.text).toBe('pay \\u202e001\\u202c \\u200bx\\u0007\\u2028');
    expect(html`${'two\nlines\t\u{e0041}'}`.text).toBe('two\nlines\t\\udb40\\udc41');
  });
});
