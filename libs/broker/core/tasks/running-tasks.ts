import { Cancellation } from '../call/cancellation.ts';
import { canBeAsked } from '../mcp/capabilities.ts';
import { isObject, type JsonObject } from '../mcp/protocol.ts';
import type { PeerAnswer, PeerRequest } from '../upstream/upstreams.ts';

/** Something that the server of a running task wants of the task's client. A name is used once. */
export interface TaskQuestion {
  readonly name: string;
  readonly request: PeerRequest;
}

interface Open extends TaskQuestion {
  readonly settle: (answer: PeerAnswer) => void;
}

/** What another broker said of a task that it runs. */
interface Elsewhere {
  readonly questions: readonly TaskQuestion[];
  readonly until: number;
}

/** What brokers tell each other of tasks, beside the tenant and the approval. */
export type TaskWord =
  | { readonly task: 'asks'; readonly questions: readonly TaskQuestion[] }
  | { readonly task: 'answer'; readonly name: string; readonly answer: PeerAnswer }
  | { readonly task: 'cancel' };

/** Of one call, altogether. */
const MAX_QUESTIONS = 100;
/** Tasks that wait for their clients: of all, and of one tenant. */
const MAX_ASKING = 1_000;
const MAX_ASKING_OF_TENANT = 200;
const MAX_ELSEWHERE = 1_000;
/** What is longer is known where the call runs, and nowhere else. */
const MAX_TOLD_CHARS = 64_000;
/** What is asked is told to the other brokers again and again while it is open: one of them may have come later. */
const TELL_EVERY_MS = 5_000;
const BELIEVED_MS = 15_000;
/** How long the server waits for answers. Nobody may be polling. */
const ANSWERED_MS = 15 * 60_000;

export interface RunningTasksOptions {
  readonly newId: () => string;
  readonly now: () => number;
  readonly timer: (ms: number, callback: () => void) => () => void;
  readonly tell: (tenant: string, approval: string, word: TaskWord) => void;
}

/** One released call of a task that this broker works on. */
export class RunningTask {
  readonly cancellation = new Cancellation();
  private readonly open = new Map<string, Open>();
  private asked = 0;
  private over = false;

  constructor(
    readonly tenant: string,
    private readonly capabilities: JsonObject,
    private readonly options: Pick<RunningTasksOptions, 'newId' | 'timer'>,
    private readonly mayAsk: () => boolean,
    private readonly changed: () => void,
  ) {}

  get questions(): readonly TaskQuestion[] {
    return [...this.open.values()].map(({ name, request }) => ({ name, request }));
  }

  /** The client is asked by whoever it polls next. Never rejects. */
  ask(request: PeerRequest, cancellation: Cancellation = this.cancellation): Promise<PeerAnswer> {
    if (this.over || cancellation.reason !== undefined) return Promise.resolve(failure('the call is over'));
    if (!canBeAsked(this.capabilities, request.method)) return Promise.resolve(failure('the client did not declare that it can be asked this'));
    if (this.asked >= MAX_QUESTIONS || !this.mayAsk()) return Promise.resolve(failure('too much is being asked already'));
    this.asked++;
    return new Promise((resolve) => {
      const name = this.options.newId();
      const forget = cancellation.onCancel(() => this.settle(name, failure('the request was cancelled')));
      const stop = this.options.timer(ANSWERED_MS, () => this.settle(name, failure('the client did not answer')));
      this.open.set(name, {
        name,
        request,
        settle: (answer) => {
          forget();
          stop();
          resolve(answer);
        },
      });
      this.changed();
    });
  }

  settle(name: string, answer: PeerAnswer): void {
    const question = this.open.get(name);
    if (!question) return;
    this.open.delete(name);
    question.settle(answer);
    this.changed();
  }

  giveUp(why: string): void {
    this.over = true;
    for (const name of this.open.keys()) this.settle(name, failure(why));
  }
}

/**
 * The released calls of tasks, and what their servers ask meanwhile. A question belongs to a call that runs and dies with it, so it is
 * kept where the call runs; the other brokers know of it because they are told, and pass on what the client answers.
 */
export class RunningTasks {
  private readonly here = new Map<string, RunningTask>();
  private readonly elsewhere = new Map<string, Elsewhere>();
  private stopTelling: (() => void) | undefined;
  private closed = false;

  constructor(private readonly options: RunningTasksOptions) {}

  begin(tenant: string, approval: string, capabilities: JsonObject): RunningTask {
    const task = new RunningTask(tenant, capabilities, this.options, () => this.mayAsk(tenant), () => this.announce(tenant, approval));
    if (this.closed) task.giveUp('Holdfast is stopping');
    this.here.set(key(tenant, approval), task);
    return task;
  }

  end(tenant: string, approval: string): void {
    const name = key(tenant, approval);
    const task = this.here.get(name);
    task?.giveUp('the call is over');
    this.here.delete(name);
  }

  questions(tenant: string, approval: string): readonly TaskQuestion[] {
    const name = key(tenant, approval);
    const here = this.here.get(name);
    if (here) return here.questions;
    const told = this.elsewhere.get(name);
    return told && told.until > this.options.now() ? told.questions : [];
  }

  /** What is not asked, or not any more, is passed over. */
  answer(tenant: string, approval: string, name: string, answer: PeerAnswer): void {
    const here = this.here.get(key(tenant, approval));
    if (here) return here.settle(name, answer);
    const told = this.elsewhere.get(key(tenant, approval));
    if (!told?.questions.some((question) => question.name === name)) return;
    this.elsewhere.set(key(tenant, approval), { ...told, questions: told.questions.filter((question) => question.name !== name) });
    this.options.tell(tenant, approval, { task: 'answer', name, answer });
  }

  /** Its client does not want it any more: whoever runs it tells its server to stop. */
  cancel(tenant: string, approval: string): void {
    const here = this.here.get(key(tenant, approval));
    if (here) here.cancellation.cancel('cancelled');
    else this.options.tell(tenant, approval, { task: 'cancel' });
  }

  /** What another broker told. */
  heard(tenant: string, approval: string, word: unknown): void {
    if (!isObject(word)) return;
    const name = key(tenant, approval);
    const here = this.here.get(name);
    if (word['task'] === 'cancel') here?.cancellation.cancel('cancelled');
    if (word['task'] === 'answer' && typeof word['name'] === 'string' && isObject(word['answer'])) here?.settle(word['name'], word['answer'] as PeerAnswer);
    if (word['task'] !== 'asks' || !Array.isArray(word['questions']) || here) return;
    this.elsewhere.delete(name);
    if (word['questions'].length === 0) return;
    const [oldest] = this.elsewhere.keys();
    if (this.elsewhere.size >= MAX_ELSEWHERE && oldest !== undefined) this.elsewhere.delete(oldest);
    this.elsewhere.set(name, { questions: word['questions'] as readonly TaskQuestion[], until: this.options.now() + BELIEVED_MS });
  }

  /** The broker stops: nobody is asked any more. */
  close(): void {
    this.closed = true;
    this.stopTelling?.();
    for (const task of this.here.values()) task.giveUp('Holdfast is stopping');
  }

  private mayAsk(tenant: string): boolean {
    const asking = [...this.here.values()].filter(({ questions }) => questions.length > 0);
    return asking.length < MAX_ASKING && asking.filter((task) => task.tenant === tenant).length < MAX_ASKING_OF_TENANT;
  }

  private announce(tenant: string, approval: string): void {
    const questions = this.here.get(key(tenant, approval))?.questions ?? [];
    const chars = questions.reduce((sum, { request }) => sum + request.params.length, 0);
    if (chars <= MAX_TOLD_CHARS) this.options.tell(tenant, approval, { task: 'asks', questions });
    if (questions.length > 0 && !this.closed) this.stopTelling ??= this.options.timer(TELL_EVERY_MS, () => this.tellAgain());
  }

  private tellAgain(): void {
    this.stopTelling = undefined;
    for (const [name, task] of this.here) {
      const [tenant, approval] = name.split(' ') as [string, string];
      if (task.questions.length > 0) this.announce(tenant, approval);
    }
  }
}

function key(tenant: string, approval: string): string {
  return `${tenant} ${approval}`;
}

function failure(message: string): PeerAnswer {
  return { error: JSON.stringify({ code: -32603, message: `Holdfast: ${message}` }) };
}
