import { canonicalJson, type ErrorCode } from '#libs/contracts';
import type { Approvals, CallIdentity, Claimed, ClaimRequest, Clock, Held, HeldRequest, HoldRequest, Ids, Journaled, Outbox, Principal, Sealer, Ticket } from '#libs/ports';
import type { Binding } from '../held/binding.ts';
import type { Command } from '../held/commands.ts';
import { decide } from '../held/decide.ts';
import type { SettledAs } from '../held/events.ts';
import { decideStanding } from '../held/standing.ts';
import type { Refused } from '../held/refusals.ts';
import { wakeUps } from '../held/wake-ups.ts';
import type { ApprovalStore, Moment, StoredApproval } from './approval-store.ts';
import type { Configurations } from './configurations.ts';
import { findFlow, flowOf, heldLimits } from './people.ts';
import { applied, changed, ticketOf } from './records.ts';
import { Safe, withArguments } from './safe.ts';
import { appliedStanding, type StandingStore } from './standing-store.ts';

/** How long a settled outcome answers equal calls. */
export const REPLAY_MS = 15 * 60_000;

export interface ApprovalDeskDependencies {
  readonly store: ApprovalStore;
  readonly standing: StandingStore;
  readonly configurations: Configurations;
  readonly outbox: Pick<Outbox, 'delivered'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digestOf: (text: string) => string;
  /** Whether a CEL condition holds for arguments. */
  readonly meets: (condition: string, args: Readonly<Record<string, unknown>>) => 'met' | 'not_met' | 'failed';
}

/** {@link Approvals} over a store: the pure core with a transaction around each of its decisions. */
export class ApprovalDesk implements Approvals {
  private readonly safe: Safe;

  constructor(private readonly deps: ApprovalDeskDependencies) {
    this.safe = new Safe(deps.sealer);
  }

  async hold(request: HoldRequest): Promise<Held> {
    const { identity, args, call } = request;
    const released = await this.useStanding(request);
    if (released) return released;
    const { tenant } = identity;
    const id = this.deps.ids.uuid();
    const sealed = await this.safe.with(tenant, identity.user, { '/request': request.request, ...(request.reason === undefined ? {} : { '/reason': request.reason }) });
    let why: ErrorCode = 'approval_unavailable';
    const opened = await this.deps.configurations.deciding(() =>
      this.deps.store.open({
        tenant,
        agent: identity.agent,
        joins: request.joins ? this.joinKey(request) : null,
        // Whoever has a task asks for another one; whoever waits may have missed the answer.
        settledAfter: request.lane === 'task' ? Number.MAX_SAFE_INTEGER : this.deps.clock.now() - REPLAY_MS,
        decide: (held, moment) => {
          const now = this.deps.clock.now();
          const config = this.deps.configurations.at(moment);
          const flow = request.flow === undefined ? undefined : findFlow(config, tenant, request.flow);
          if (!flow) return null;
          const binding: Binding = { ...identity, args, policyVersion: request.policyVersion, createdAt: now };
          const limits = heldLimits(config, tenant);
          const command: Command = { type: 'open', id, call, rule: request.rule, binding, flow: flowOf(flow, this.deps.digestOf), held, limits, stopped: false, ...(request.reason === undefined ? {} : { reason: request.reason }) };
          const decided = decide(null, command, { now, directory: this.deps.configurations.directory(tenant, moment) });
          if (!decided.ok) {
            why = decided.code;
            return null;
          }
          const { state, drafts } = applied(null, decided.events);
          const { lane, impactClass, inputSchema } = request;
          const next: StoredApproval = { state, lane, why: request.why, impactClass, channels: flow.channels, inputSchema: inputSchema ?? null, sealed, createdAt: now, changedAt: now };
          return { next, events: drafts };
        },
      }),
    );
    if (!opened) return { kind: 'refused', code: why };
    if (opened.kind === 'opened') return { kind: 'held', ticket: ticketOf(opened.approval) };
    return { kind: 'joined', ticket: ticketOf(await this.inLane(opened.approval, request.lane)) };
  }

  async find(tenant: string, approval: string): Promise<Ticket | null> {
    const stored = await this.deps.store.load(tenant, approval);
    return stored && ticketOf(stored);
  }

  async request(tenant: string, approval: string): Promise<HeldRequest | null> {
    const stored = await this.deps.store.load(tenant, approval);
    if (!stored) return null;
    const request = await this.safe.open(tenant, stored.sealed, '/request');
    if (!request || stored.state.edits.length === 0) return request;
    const edited = await this.safe.open(tenant, stored.sealed, '/edited');
    return edited === null ? null : withArguments(request, edited as Readonly<Record<string, unknown>>);
  }

  async claim(tenant: string, approval: string, request: ClaimRequest): Promise<Claimed> {
    const { broker, identity, args, requesterValid, policy } = request;
    const claimed = await this.change(tenant, approval, (_, moment) => {
      const flow = policy.flow === undefined ? undefined : findFlow(this.deps.configurations.at(moment), tenant, policy.flow);
      const asked = flow ? { id: flow.id, digest: flowOf(flow, this.deps.digestOf).digest } : null;
      return { type: 'claim', broker, call: identity, args, requesterValid, stopped: false, policy: { version: policy.version, effect: policy.effect, flow: asked } };
    });
    return 'code' in claimed ? { ok: false, code: claimed.code } : { ok: true, journaled: this.journaled(claimed.number) };
  }

  async settle(tenant: string, approval: string, outcome: SettledAs, answer: string): Promise<void> {
    const stored = await this.deps.store.load(tenant, approval);
    if (!stored) return;
    const sealed = await this.safe.with(tenant, stored.state.binding.user, { '/answer': answer });
    await this.change(tenant, approval, () => ({ type: 'settle', outcome }), sealed);
  }

  async answer(tenant: string, approval: string): Promise<string | null> {
    const sealed = await this.deps.store.answer(tenant, approval);
    return sealed && this.safe.open(tenant, sealed, '/answer');
  }

  async withdraw(tenant: string, approval: string, caller: Principal): Promise<ErrorCode | null> {
    const done = await this.change(tenant, approval, ({ state }) => {
      if (!isCaller(state.binding, caller)) return { ok: false, code: 'approval_not_found' };
      return { type: 'cancel', person: caller.user, operator: false, via: 'mcp' };
    });
    return 'code' in done ? done.code : null;
  }

  async releasable(limit: number): Promise<readonly Ticket[]> {
    return (await this.deps.store.releasable('task', limit)).map(ticketOf);
  }

  changes(listener: Parameters<Approvals['changes']>[0]): void {
    this.deps.store.changes(listener);
  }

  /** One command on one approval, in one transaction. */
  private async change(tenant: string, id: string, command: (found: StoredApproval, moment: Moment) => Command | Refused, answer?: Uint8Array): Promise<{ readonly code: ErrorCode } | { readonly number: bigint | null }> {
    const done = await this.deps.configurations.deciding(() =>
      this.deps.store.change<ErrorCode | null>(tenant, id, (found, moment) => {
        const directory = this.deps.configurations.directory(tenant, moment);
        const asked = command(found, moment);
        if ('ok' in asked) return { result: asked.code };
        const now = this.deps.clock.now();
        const decided = decide(found.state, asked, { now, directory });
        if (!decided.ok) return { result: decided.code };
        if (decided.events.length === 0) return { result: null };
        const { state, drafts } = applied(found.state, decided.events);
        return { result: null, next: changed(found, state, now), events: drafts, ...(answer === undefined ? {} : { answer }) };
      }),
    );
    if (!done) return { code: 'approval_not_found' };
    return done.result === null ? { number: done.number } : { code: done.result };
  }

  /** An approval that somebody waits for becomes one that goes on alone when a caller with tasks joins it. */
  private async inLane(found: StoredApproval, lane: HoldRequest['lane']): Promise<StoredApproval> {
    if (lane === 'wait' || found.lane === 'task') return found;
    const { id, binding } = found.state;
    const done = await this.deps.store.change(binding.tenant, id, (now) => ({ result: now, next: { ...now, lane } }));
    return done ? { ...done.result, lane } : found;
  }

  private async useStanding(request: HoldRequest): Promise<Held | null> {
    const { identity, args } = request;
    for (const candidate of await this.deps.standing.for(identity)) {
      const condition = this.deps.meets(candidate.condition, request.request.args ?? {});
      if (condition !== 'met') continue;
      const done = await this.deps.configurations.deciding(() =>
        this.deps.standing.change(identity.tenant, candidate.id, (found, moment) => {
          const directory = this.deps.configurations.directory(identity.tenant, moment);
          const decided = decideStanding(found, { type: 'use', call: identity, callId: request.call, argsDigest: args.digest, condition, stopped: false, ...(request.flow === undefined ? {} : { flow: request.flow }) }, { now: this.deps.clock.now(), directory });
          return decided.ok ? { result: true, ...appliedStanding(found, decided.events, { call: request.call }) } : { result: false };
        }),
      );
      if (done?.result) return { kind: 'released', standing: candidate.id, journaled: this.journaled(done.number) };
    }
    return null;
  }

  private readonly journaled = (number: bigint | null): Journaled => {
    if (number === null) return () => Promise.resolve(true);
    return (timeoutMs) => this.deps.outbox.delivered(number, timeoutMs);
  };

  private joinKey({ identity, args, policyVersion, request }: HoldRequest): string {
    return this.deps.digestOf(canonicalJson({ ...identity, digest: args.digest, absent: args.absent, policyVersion, key: request.idempotencyKey ?? null }));
  }
}

/** Whether an approval is this caller's: three identities, never merged. */
export function isCaller(identity: Pick<CallIdentity, 'user' | 'client' | 'agent'>, { user, client, agent }: Principal): boolean {
  return identity.user === user && identity.client === client && identity.agent === (agent ?? null);
}

/** When an approval wants to be woken next; null when it does not. */
export function wakeAt(stored: StoredApproval): number | null {
  return wakeUps(stored.state)[0]?.at ?? null;
}
