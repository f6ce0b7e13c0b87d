import { Refusal } from '#libs/contracts';
import type { Approvals, Ticket } from '#libs/ports';
import type { CallAnswer } from '../call/call.ts';
import { followsTasks, NEEDS_TASKS } from '../mcp/capabilities.ts';
import { metaOf } from '../mcp/classify.ts';
import type { Exchange, RpcRequest } from '../mcp/exchange.ts';
import { memberText } from '../mcp/json-text.ts';
import { isObject, META_CLIENT_CAPABILITIES } from '../mcp/protocol.ts';
import { errorReply, type McpReply, resultReply } from '../mcp/reply.ts';
import { couldBeHeld } from '../policy/decide.ts';
import { serversOf, type View } from '../registry/visible.ts';
import { ownTicket } from './own-tickets.ts';
import type { RunningTasks } from './running-tasks.ts';
import { detailedTask } from './task-view.ts';

export interface TaskRequestDependencies {
  readonly approvals: Approvals;
  readonly running: RunningTasks;
  readonly now: () => number;
}

const MAX_ANSWERS = 100;
const DONE = '{"resultType":"complete"}';
const UNKNOWN = 'There is no such task.';

/** Whether a call that this caller makes here may become a task, or wait in another way. */
export function mayHold(view: View): boolean {
  return couldBeHeld(view.registry.policy, view.principal, serversOf(view).map(({ facts }) => facts.id));
}

/** `tasks/get`, `tasks/update`, `tasks/cancel`: any broker serves any task, and every request is authorised anew. */
export class TaskRequests {
  constructor(private readonly deps: TaskRequestDependencies) {}

  async answer({ id, method, params }: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { request, view } = exchange;
    const announced = mayHold(view);
    if (!followsTasks(metaOf(params)?.[META_CLIENT_CAPABILITIES])) {
      return errorReply(announced ? new Refusal('tasks_not_declared', undefined, NEEDS_TASKS) : new Refusal('method_not_found'), id);
    }
    const ticket = await ownTicket(this.deps.approvals, params['taskId'], request.principal, view.endpoint);
    // Where policy holds nothing any more, tasks from before are followed to their end.
    if (ticket?.lane !== 'task') return errorReply(announced ? new Refusal('invalid_params', UNKNOWN) : new Refusal('method_not_found'), id, announced);
    switch (method) {
      case 'tasks/get':
        return resultReply(id, await this.tell(ticket));
      case 'tasks/update':
        return this.update(ticket, id, params['inputResponses'], request.body);
      default:
        await this.cancel(ticket, exchange);
        return resultReply(id, DONE);
    }
  }

  private async tell(ticket: Ticket): Promise<string> {
    const { approvals, running, now } = this.deps;
    const { tenant, approval, status } = ticket;
    const over = status === 'executed' || status === 'failed' || status === 'unknown';
    const kept = over ? await approvals.answer(tenant, approval) : null;
    return detailedTask(ticket, kept === null ? null : (JSON.parse(kept) as CallAnswer), running.questions(tenant, approval), now());
  }

  private update({ tenant, approval }: Ticket, id: RpcRequest['id'], responses: unknown, body: string): McpReply {
    if (!isObject(responses)) return errorReply(new Refusal('invalid_params', 'params.inputResponses must be an object'), id, true);
    for (const name of Object.keys(responses).slice(0, MAX_ANSWERS)) {
      const result = isObject(responses[name]) ? memberText(body, 'params', 'inputResponses', name) : undefined;
      if (result !== undefined) this.deps.running.answer(tenant, approval, name, { result });
    }
    return resultReply(id, DONE);
  }

  /** Before it is claimed a call is taken back; after that its server is told to stop, and what it did is told as it is. */
  private async cancel({ tenant, approval }: Ticket, { request }: Exchange): Promise<void> {
    const code = await this.deps.approvals.withdraw(tenant, approval, request.principal);
    if (code === 'approval_claimed') this.deps.running.cancel(tenant, approval);
  }
}
