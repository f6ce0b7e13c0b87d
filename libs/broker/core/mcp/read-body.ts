import { MAX_DEPTH, NotCanonical, parseStrictJson, Refusal } from '#libs/contracts';
import { isObject, isRpcId, type RpcId } from './protocol.ts';

/** The message, its params and the arguments lie around what may nest `MAX_DEPTH` deep itself. */
const ENVELOPE_DEPTH = 2;

/** A body that was refused, with the id to answer under when it shows one. */
export interface UnreadableBody {
  readonly refusal: Refusal;
  readonly id: RpcId | null;
}

/**
 * Parses a body once and strictly: what is recorded, judged and sent upstream is then the same for every reader of this text. The
 * refusal names the place as a JSON pointer into the body.
 */
export function readBody(text: string): { readonly value: unknown } | UnreadableBody {
  try {
    return { value: parseStrictJson(text, MAX_DEPTH + ENVELOPE_DEPTH) };
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    if (error.reason === 'not_json') return { refusal: new Refusal('parse_error'), id: null };
    const refusal = new Refusal('not_canonical', `The request holds JSON that cannot be recorded exactly: ${error.message}.`, {
      reason: error.reason,
      pointer: error.pointer,
    });
    const loose: unknown = JSON.parse(text);
    if (Array.isArray(loose)) return { refusal: new Refusal('batch_not_supported'), id: null };
    return { refusal, id: isObject(loose) && isRpcId(loose['id']) ? loose['id'] : null };
  }
}
