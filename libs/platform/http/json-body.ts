import { MAX_DEPTH, NotCanonical, parseStrictJson, Refusal } from '#libs/contracts';

/** The body around arguments, which may nest `MAX_DEPTH` deep themselves. */
const ENVELOPE_DEPTH = 1;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A body as it was written, or not at all: what people put in place of an agent's arguments is signed, stored and sent as this text
 * has it, so nothing of it may be lost on the way or be read differently by somebody else.
 */
export function readJsonBody(body: Uint8Array): unknown {
  let text: string;
  try {
    text = UTF8.decode(body);
  } catch {
    throw new Refusal('request_invalid', 'the body is not UTF-8');
  }
  try {
    const value = parseStrictJson(text, MAX_DEPTH + ENVELOPE_DEPTH);
    // A key that copying an object may lose.
    JSON.parse(text, (key, member: unknown) => {
      if (key === '__proto__') throw new Refusal('request_invalid', 'the body holds a key named __proto__');
      return member;
    });
    return value;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    if (error.reason === 'not_json') throw new Refusal('request_invalid', 'the body is not JSON');
    throw new Refusal('not_canonical', `The request holds JSON that cannot be recorded exactly: ${error.message}.`, { reason: error.reason, pointer: error.pointer });
  }
}
