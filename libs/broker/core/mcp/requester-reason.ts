import type { Principal } from '#libs/ports';
import type { PeerAnswer, PeerRequest } from '../upstream/upstreams.ts';
import { memberText, withMembers } from './json-text.ts';
import { isObject, type RpcId } from './protocol.ts';
import { type McpReply, resultReply } from './reply.ts';
import type { SessionSealer } from './sessions.ts';

const MARK = 'holdfast-reason.';
/** How late a client may come back with the reason. */
const COME_BACK_MS = 10 * 60_000;
const MAX_REASON = 1_000;
/** The name of the question in `inputRequests`. */
const QUESTION = 'reason';

interface State {
  readonly owner: string;
  readonly asked: string;
  readonly until: number;
}

/** Asks the caller why it calls, where a flow wants to know and the caller did not say. Its word is a reason and never an approval. */
export class RequesterReason {
  constructor(
    private readonly sealer: SessionSealer,
    private readonly now: () => number,
  ) {}

  question(why: string): PeerRequest {
    return {
      method: 'elicitation/create',
      params: JSON.stringify({
        message: `This call needs the approval of people, who want to know why it is made. ${why}`.trim(),
        requestedSchema: { type: 'object', properties: { reason: { type: 'string', title: 'Reason', description: 'Why this call should be made', minLength: 1, maxLength: MAX_REASON } }, required: ['reason'] },
      }),
    };
  }

  /** What was answered; undefined when it was declined or says nothing. */
  reasonIn(answer: PeerAnswer): string | undefined {
    if (!('result' in answer)) return undefined;
    const read: unknown = JSON.parse(answer.result);
    const content = isObject(read) && read['action'] === 'accept' ? read['content'] : undefined;
    const reason = isObject(content) ? content['reason'] : undefined;
    return typeof reason === 'string' && reason.trim() !== '' ? reason.slice(0, MAX_REASON) : undefined;
  }

  /** Asks a client of the 2026 era, which answers with the same request once more. */
  ask(id: RpcId, principal: Principal, asked: string, why: string): McpReply {
    const { method, params } = this.question(why);
    const state: State = { owner: ownerOf(principal), asked, until: this.now() + COME_BACK_MS };
    const text = `{"resultType":"input_required","inputRequests":{"${QUESTION}":{"method":"${method}","params":${params}}},"requestState":${JSON.stringify(MARK + this.sealer.seal(JSON.stringify(state)))}}`;
    return resultReply(id, text);
  }

  /** The params without what was for us. */
  without(own: string): string {
    return withMembers(own, { requestState: undefined, inputResponses: undefined });
  }

  /** The answer that a request brings: `declined` when it brings none, `foreign` when its state is not this caller's; undefined when it is about something else. */
  answered(state: unknown, own: string, principal: Principal, asked: string): { readonly reason: string } | 'declined' | 'foreign' | undefined {
    if (typeof state !== 'string' || !state.startsWith(MARK)) return undefined;
    const text = this.sealer.open(state.slice(MARK.length));
    const read: unknown = text === null ? undefined : JSON.parse(text);
    if (!isObject(read)) return 'foreign';
    const { owner, asked: before, until } = read as unknown as State;
    if (owner !== ownerOf(principal) || before !== asked || this.now() > until) return 'foreign';
    const answer = memberText(own, 'inputResponses', QUESTION);
    const reason = answer === undefined ? undefined : this.reasonIn({ result: answer });
    return reason === undefined ? 'declined' : { reason };
  }
}

function ownerOf({ tenant, user, client, agent }: Principal): string {
  return JSON.stringify([tenant, user, client, agent ?? null]);
}
