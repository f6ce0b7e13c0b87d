import { errorCatalogue } from '#libs/contracts';
import type { Approvals, Ticket } from '#libs/ports';
import { ownTicket } from '../tasks/own-tickets.ts';
import { mayHold } from '../tasks/task-requests.ts';
import { sentenceOf } from '../tasks/task-view.ts';
import type { View } from '../registry/visible.ts';
import type { ApprovalWaits } from './approval-waits.ts';
import { readCallMeta } from './call-meta.ts';
import { notification } from './channel.ts';
import { metaOf } from './classify.ts';
import type { Exchange, RpcRequest } from './exchange.ts';
import { withMembers } from './json-text.ts';
import type { Listed } from './list-page.ts';
import { isObject, META_OWN_PREFIX } from './protocol.ts';
import { type McpReply, resultReply } from './reply.ts';

const STATUS = 'holdfast__approval_status';
const WAIT = 'holdfast__approval_wait';
const PATIENCE_MS = 45_000;

const describe = (name: string, title: string, description: string): Listed => {
  const inputSchema = { type: 'object', properties: { approvalId: { type: 'string', description: 'As _meta["dev.holdfast/call"].approvalId and the text of a held call give it.' } }, required: ['approvalId'], additionalProperties: false };
  const text = JSON.stringify({ name, title, description, inputSchema, annotations: { readOnlyHint: true, openWorldHint: false } });
  return { name, text: () => text };
};

const TOOLS: readonly Listed[] = [
  describe(STATUS, 'How a held call stands', 'Tells how a call of yours stands that waits for the approval of people. Changes nothing and executes nothing; repeat the held call itself to collect its result.'),
  describe(WAIT, 'Wait for a held call', 'Waits up to 45 seconds until people have decided about a call of yours, and tells how it stands. Changes nothing and executes nothing; repeat the held call itself to collect its result.'),
];

/**
 * Two tools of Holdfast itself on `/mcp`, with which a model follows a held call of its caller. They look at what the caller has been told
 * already and reach no server, so that they are no calls for the log, as lists are none.
 */
export class ApprovalTools {
  constructor(
    private readonly approvals: Pick<Approvals, 'find'>,
    private readonly waits: ApprovalWaits,
  ) {}

  /** Where calls may be held. */
  list(view: View): readonly Listed[] {
    return 'server' in view.endpoint || !mayHold(view) ? [] : TOOLS;
  }

  /** Undefined when the call is not of these tools. */
  async call({ id, params, era }: RpcRequest, { request, view }: Exchange): Promise<McpReply | undefined> {
    const { name } = params;
    // Before anything that costs more: all tool calls pass here.
    if ((name !== STATUS && name !== WAIT) || !this.list(view).some((tool) => tool.name === name)) return undefined;
    const reply = (text: string, isError: boolean, ticket?: Ticket): McpReply =>
      resultReply(id, JSON.stringify({ ...(era === 'modern' ? { resultType: 'complete' } : {}), content: [{ type: 'text', text }], ...(isError ? { isError } : {}), ...(ticket ? { _meta: { [`${META_OWN_PREFIX}call`]: about(ticket) } } : {}) }));
    const args = isObject(params['arguments']) ? params['arguments'] : {};
    const found = await ownTicket(this.approvals, args['approvalId'], request.principal, view.endpoint);
    if (!found) return reply(errorCatalogue.approval_not_found.sentence, true);
    if (name === STATUS) return reply(told(found), false, found);
    const token = readCallMeta(metaOf(params)).progressToken;
    const { channel } = request;
    if (token !== undefined || era === 'modern') channel.open();
    const { ticket } = await this.waits.until(found, {
      ms: PATIENCE_MS,
      channel,
      onProgress: (progress) => {
        if (token !== undefined) channel.send(notification('notifications/progress', withMembers(JSON.stringify({ progress, message: sentenceOf(found) }), { progressToken: JSON.stringify(token) })));
      },
    });
    return reply(told(ticket), false, ticket);
  }
}

function told(ticket: Ticket): string {
  // What waits is not executed by itself where nobody has a task.
  if (ticket.status === 'approved' && ticket.lane === 'wait') return 'This call is approved; repeat exactly the same call to have it executed and to get its result.';
  return sentenceOf(ticket);
}

function about({ call, approval, status, expiresAt }: Ticket): Record<string, unknown> {
  return { callId: call, approvalId: approval, state: status, expiresAt: new Date(expiresAt).toISOString() };
}
