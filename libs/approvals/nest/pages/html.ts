/** Markup that is safe to send: made by {@link html} and by nothing else. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | null | undefined | false | readonly Part[];

/** A template whose values are text unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, i) => text + string + (i < parts.length ? rendered(parts[i]!) : ''), ''));
}

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function rendered(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (part === null || part === undefined || part === false) return '';
  if (Array.isArray(part)) return (part as readonly Part[]).map(rendered).join('');
  return visible(String(part as string | number)).replace(/[&<>"']/g, (character) => ESCAPED[character]!);
}

/**
 * Text of others as it is: agents choose names and arguments, and none of it may turn the direction of reading, hide, or look like
 * something else in front of whoever decides about it.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (character) => (character === '\n' || character === '\t' ? character : character.split('').map(escaped).join('')));
}

/** As JSON writes it, so that arguments stay the same arguments. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
