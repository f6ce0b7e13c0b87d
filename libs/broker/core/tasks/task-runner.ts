import { errorCatalogue } from '#libs/contracts';
import type { ApprovalStatus, Approvals, Clock, HeldRequest, Lane, Principal, Ticket } from '#libs/ports';
import type { Call } from '../call/call.ts';
import type { Calls } from '../call/calls.ts';
import { heldCall } from '../call/held-request.ts';
import { answersFor, type InputAnswers } from '../mcp/input-required.ts';
import type { JsonObject } from '../mcp/protocol.ts';
import type { Registry, TenantRegistry } from '../registry/registry.ts';
import type { Resolution, View, Visible } from '../registry/visible.ts';
import type { UpstreamClient } from '../upstream/upstreams.ts';
import type { RunningTask, RunningTasks } from './running-tasks.ts';

export interface TaskRunnerDependencies {
  readonly approvals: Approvals;
  readonly calls: Calls;
  readonly visible: Visible;
  readonly running: RunningTasks;
  readonly registry: () => Registry;
  readonly viewNow: (principal: Principal, path: string) => View | undefined;
  /** A caller as its credential says it is now; undefined when there is no such credential any more. */
  readonly callerNow: (principal: Principal) => Principal | undefined;
  /** Under which name a server of the older era knows this client. */
  readonly conversationOf: (principal: Principal, capabilities: JsonObject) => string;
  readonly timer: (ms: number, callback: () => void) => () => void;
  readonly clock: Clock;
  readonly onFault: (error: unknown, call?: string) => void;
}

/** Hints are lost, and brokers with them. */
const SWEEP_MS = 3_000;
const PAGE = 1_000;
/** Calls under way at once, without those that wait for their client's input: of all, and of one tenant. */
const MAX_RUNNING = 64;
const MAX_OF_TENANT = 16;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

type Change = { readonly tenant: string; readonly approval: string; readonly status: ApprovalStatus; readonly lane: Lane };

/**
 * Executes held calls of the lane of tasks once they are approved, also when nobody asks how they stand. Every broker of an installation
 * tries; the claim lets one. What is refused for a reason that may pass is tried again until its time is over.
 */
export class TaskRunner {
  private readonly underWay = new Map<string, RunningTask | undefined>();
  private readonly retries = new Map<string, { readonly at: number; readonly afterMs: number }>();
  private stopSweeping: (() => void) | undefined;
  private sweeping = false;
  private waiting = false;
  private troubled = false;
  private closed = false;

  constructor(private readonly deps: TaskRunnerDependencies) {}

  /** From now on what is approved is executed here, unless another broker was faster. */
  start(): void {
    if (!this.closed && !this.stopSweeping) this.sweepLater();
  }

  /** Hears of a change of some approval. */
  changed({ tenant, approval, status, lane }: Change): void {
    if (status !== 'approved' || lane !== 'task' || !this.stopSweeping) return;
    void this.guarded(async () => {
      const ticket = await this.deps.approvals.find(tenant, approval);
      if (ticket) this.consider(ticket);
    });
  }

  /** The broker stops: nothing more is begun. */
  close(): void {
    this.closed = true;
    this.stopSweeping?.();
    this.deps.running.close();
  }

  private sweepLater(): void {
    this.stopSweeping = this.deps.timer(SWEEP_MS, () => {
      this.sweepLater();
      this.sweep();
    });
  }

  private sweep(): void {
    if (this.sweeping || this.closed) return;
    this.sweeping = true;
    this.waiting = false;
    void this.guarded(async () => {
      const tickets = await this.deps.approvals.releasable(PAGE);
      const names = new Set(tickets.map(nameOf));
      for (const name of this.retries.keys()) if (!names.has(name)) this.retries.delete(name);
      for (const ticket of tickets) this.consider(ticket);
    }).finally(() => (this.sweeping = false));
  }

  /** A store that is away is said once, and not every few seconds. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.troubled = false;
    } catch (error) {
      if (!this.troubled) this.deps.onFault(error);
      this.troubled = true;
    }
  }

  private consider(ticket: Ticket): void {
    const name = nameOf(ticket);
    if (this.closed || ticket.status !== 'approved' || ticket.lane !== 'task' || this.underWay.has(name)) return;
    if ((this.retries.get(name)?.at ?? 0) > this.deps.clock.now()) return;
    if (!this.hasRoom(ticket.tenant)) {
      this.waiting = true;
      return;
    }
    this.underWay.set(name, undefined);
    void this.guarded(() => this.attempt(ticket)).finally(() => {
      this.underWay.delete(name);
      this.deps.running.end(ticket.tenant, ticket.approval);
      if (this.waiting) this.sweep();
    });
  }

  private hasRoom(tenant: string): boolean {
    let all = 0;
    let own = 0;
    for (const [name, task] of this.underWay) {
      if (task && task.questions.length > 0) continue;
      all++;
      if (name.startsWith(`${tenant} `)) own++;
    }
    return all < MAX_RUNNING && own < MAX_OF_TENANT;
  }

  private async attempt(ticket: Ticket): Promise<void> {
    const name = nameOf(ticket);
    // Whatever goes wrong on the way, the next attempt waits.
    const afterMs = Math.min(2 * (this.retries.get(name)?.afterMs ?? FIRST_RETRY_MS / 2), LONGEST_RETRY_MS);
    this.retries.set(name, { at: this.deps.clock.now() + afterMs, afterMs });
    const asHeld = await this.deps.approvals.request(ticket.tenant, ticket.approval);
    if (!asHeld) return;
    await this.release(ticket, asHeld);
    const later = await this.deps.approvals.find(ticket.tenant, ticket.approval);
    if (later?.status !== 'approved') this.retries.delete(name);
  }

  private async release(ticket: Ticket, asHeld: HeldRequest): Promise<void> {
    const { calls, running, callerNow, clock } = this.deps;
    const principal = callerNow(asHeld.principal) ?? asHeld.principal;
    const found = await this.lookUp({ ...asHeld, principal });
    if (!found) return;
    const { registry, resolution } = found;
    const capabilities = asHeld.capabilities ?? {};
    const task = running.begin(ticket.tenant, ticket.approval, capabilities);
    this.underWay.set(nameOf(ticket), task);
    const call: Call = heldCall(ticket, { ...asHeld, principal }, { client: this.clientOf(task, principal, capabilities), cancellation: task.cancellation, receivedUs: clock.monotonicUs() });
    const hash = resolution.kind === 'offer' ? resolution.offer.hash : null;
    await calls.release(ticket, { ...call, input: (wanted) => this.input(task, call, asHeld, hash, wanted) }, registry, resolution);
  }

  /** Asks for what a server wants before it does anything. What allowed the call must allow it still when the answers are there. */
  private async input(task: RunningTask, call: Call, asHeld: HeldRequest, hash: string | null, wanted: string): Promise<InputAnswers> {
    const given = await answersFor(wanted, (question) => task.ask(question), 'at once');
    if (task.cancellation.reason === 'cancelled') return { refused: errorCatalogue.cancelled.sentence, code: 'cancelled' };
    if ('refused' in given) return given;
    const principal = this.deps.callerNow(asHeld.principal) ?? asHeld.principal;
    const found = await this.lookUp({ ...asHeld, principal });
    const code = found ? this.deps.calls.whyNotOn({ ...call, principal }, found.registry, found.resolution, hash) : 'tool_changed';
    return code === null ? given : { refused: errorCatalogue[code].sentence, code };
  }

  /** What the call names, as it is now. */
  private async lookUp({ principal, endpoint, method, name }: Pick<HeldRequest, 'principal' | 'endpoint' | 'method' | 'name'>): Promise<{ readonly registry: TenantRegistry; readonly resolution: Resolution } | undefined> {
    const view = this.deps.viewNow(principal, endpoint);
    if (view) return { registry: view.registry, resolution: await this.deps.visible.anew(view, method, name) };
    const registry = this.deps.registry().tenants.get(principal.tenant);
    return registry && { registry, resolution: { kind: 'unknown' } };
  }

  private clientOf(task: RunningTask, principal: Principal, capabilities: JsonObject): UpstreamClient {
    return {
      conversation: this.deps.conversationOf(principal, capabilities),
      capabilities,
      protocolMeta: {},
      wantsProgress: false,
      notify: () => undefined,
      ask: (request, cancellation) => task.ask(request, cancellation),
    };
  }
}

function nameOf({ tenant, approval }: Pick<Ticket, 'tenant' | 'approval'>): string {
  return `${tenant} ${approval}`;
}
