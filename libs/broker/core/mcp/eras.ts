import { memberText, withMember, withMembers, withoutMember } from './json-text.ts';
import { META_SERVER_INFO } from './protocol.ts';

/** An upstream result in the form of the client's era: the modern one says that a result is complete, the legacy one has no word for it. */
export function inEra(text: string, resultType: string | undefined, era: 'legacy' | 'modern', method: string): string {
  if (era === 'legacy') return resultType === undefined ? text : inLegacyWords(text, method);
  const complete = resultType === undefined ? withMember(text, 'resultType', '"complete"') : text;
  if (method !== 'resources/read' || (resultType ?? 'complete') !== 'complete' || memberText(complete, 'ttlMs') !== undefined) return complete;
  // What may be kept, and for how long, only its server could say.
  return withMembers(complete, { ttlMs: '0', cacheScope: '"private"' });
}

/** Takes out what a server of the modern era adds in words that the legacy one does not have. */
function inLegacyWords(text: string, method: string): string {
  const meta = memberText(text, '_meta');
  const kept = meta && withoutMember(meta, META_SERVER_INFO);
  return withMembers(text, {
    resultType: undefined,
    ...(method === 'resources/read' ? { ttlMs: undefined, cacheScope: undefined } : {}),
    ...(kept === undefined || kept === meta ? {} : { _meta: kept === '{}' ? undefined : kept }),
  });
}
