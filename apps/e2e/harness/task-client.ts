import { Caller, type Answer } from './caller.ts';
import { until } from './until.ts';

export const TASKS = 'io.modelcontextprotocol/tasks';
export const TASK_CAPABILITIES = { elicitation: {}, extensions: { [TASKS]: {} } };

export interface Task {
  readonly resultType: string;
  readonly taskId: string;
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage: string;
  readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly text: string }[]; readonly _meta?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  readonly inputRequests?: Readonly<Record<string, { readonly method: string; readonly params: Readonly<Record<string, unknown>> }>>;
}

/** A client of the 2026 era that follows tasks; the official ones take no task for an answer yet. */
export class TaskClient {
  private readonly caller: Caller;

  constructor(url: string, token: string) {
    this.caller = new Caller(`${url}/mcp`, token);
  }

  async call(name: string, args: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Task> {
    const { body } = await this.request(name, args, more);
    if (body.result?.['resultType'] !== 'task') throw new Error(`no task: ${JSON.stringify(body)}`);
    return body.result as unknown as Task;
  }

  /** `tools/call`, whatever the answer. */
  request(name: string, args: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.caller.method('tools/call', { name, arguments: args, ...more }, { 'mcp-name': name }, { 'io.modelcontextprotocol/clientCapabilities': TASK_CAPABILITIES });
  }

  /** `tasks/get`, `tasks/update` or `tasks/cancel`, whatever the answer. */
  ask(method: 'get' | 'update' | 'cancel', taskId: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.caller.method(`tasks/${method}`, { taskId, ...more }, { 'mcp-name': taskId }, { 'io.modelcontextprotocol/clientCapabilities': TASK_CAPABILITIES });
  }

  async get(taskId: string): Promise<Task> {
    const { body } = await this.ask('get', taskId);
    if (!body.result) throw new Error(`no task: ${JSON.stringify(body)}`);
    return body.result as unknown as Task;
  }

  /** The task when it is in one of these states. */
  when(taskId: string, ...states: readonly Task['status'][]): Promise<Task> {
    return until(`the task is ${states.join(' or ')}`, async () => {
      const task = await this.get(taskId);
      return states.includes(task.status) && task;
    });
  }

  close(): Promise<void> {
    return this.caller.close();
  }
}
