import { type ErrorCode, Refusal } from '#libs/contracts';
import type { CallIdentity, Clock, Ids } from '#libs/ports';
import type { People } from '../held/flow.ts';
import { decideStanding, type StandingApproval, type StandingCommand } from '../held/standing.ts';
import type { ApprovalStore, Moment } from './approval-store.ts';
import type { Configurations } from './configurations.ts';
import { findFlow, flowOf } from './people.ts';
import type { Person } from './people-desk.ts';
import { isUuid } from './records.ts';
import { appliedStanding, type StandingStore } from './standing-store.ts';

/** A standing approval as people see it; whose calls it is for is no secret within the tenant. */
export interface StandingView extends Pick<CallIdentity, 'agent' | 'server' | 'method' | 'tool' | 'toolHash'> {
  readonly id: string;
  readonly person: string;
  readonly flow: string | null;
  readonly condition: string;
  readonly until: string;
  readonly state: 'in_force' | 'over' | 'revoked';
  readonly uses: number;
}

export interface StandingRequest {
  /** An approval of a call of the kind that is allowed: it names agent, tool, definition and flow. */
  readonly like: string;
  /** CEL over the arguments. */
  readonly condition: string;
  readonly minutes: number;
  readonly reason: string;
}

export interface StandingDeskDependencies {
  readonly store: Pick<ApprovalStore, 'load'>;
  readonly standing: StandingStore;
  readonly configurations: Configurations;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digestOf: (text: string) => string;
  /** Why a condition cannot be used; undefined when it can. */
  readonly standingProblem: (condition: string) => string | undefined;
}

const MOST_SHOWN = 500;

/** What people may do with standing approvals. */
export class StandingDesk {
  constructor(private readonly deps: StandingDeskDependencies) {}

  async list(person: Person): Promise<readonly StandingView[]> {
    const now = this.deps.clock.now();
    return (await this.deps.standing.list(person.tenant, MOST_SHOWN)).map((standing) => viewOf(standing, now));
  }

  /**
   * Who gives it must be one of the people of a step of the flow, as configuration has it now, and must still be one at each use. The
   * last such step counts: it is the one that decides. `id` is given by who must not make it twice.
   */
  async create(person: Person, { like, condition, minutes, reason }: StandingRequest, id = this.deps.ids.uuid()): Promise<StandingView> {
    const { store, standingProblem } = this.deps;
    const stored = await store.load(person.tenant, like);
    if (!stored) throw new Refusal('approval_not_found');
    const problem = standingProblem(condition);
    if (problem !== undefined) throw new Refusal('condition_invalid', `condition: ${problem}`);
    const { binding, flow } = stored.state;
    if (binding.agent === null) throw new Refusal('request_invalid', 'a standing approval is for the calls of one agent, and this call has none');
    return this.change(person, id, (found, moment) => {
      if (found) return null;
      const approvers = this.approversFor(person, flow.id, binding, moment);
      if ('code' in approvers) return approvers;
      return { type: 'create', id, person: person.id, call: binding, flow: flow.id, condition, approvers, forMs: minutes * 60_000, reason, via: person.via };
    });
  }

  revoke(person: Person, id: string): Promise<StandingView> {
    return this.change(person, id, () => ({ type: 'revoke', person: person.id, operator: person.operator, via: person.via }));
  }

  private approversFor(person: Person, flow: string, call: CallIdentity, moment: Moment): People | { readonly code: ErrorCode } {
    const config = findFlow(this.deps.configurations.at(moment), person.tenant, flow);
    if (!config) return { code: 'not_eligible' };
    if (config.standing === 'off') return { code: 'standing_off' };
    const directory = this.deps.configurations.directory(person.tenant, moment);
    const step = flowOf(config, this.deps.digestOf).steps.findLast(({ approvers }) => directory.matching(approvers, call).has(person.id));
    return step?.approvers ?? { code: 'not_eligible' };
  }

  /** A command of null finds what is wanted already done. */
  private async change({ tenant }: Person, id: string, command: (found: StandingApproval | null, moment: Moment) => StandingCommand | { readonly code: ErrorCode } | null): Promise<StandingView> {
    if (!isUuid(id)) throw new Refusal('standing_not_found');
    const { standing, configurations, clock } = this.deps;
    const now = clock.now();
    const { result } = await configurations.deciding(() =>
      standing.change<{ readonly code: ErrorCode } | { readonly made: StandingApproval }>(tenant, id, (found, moment) => {
        const asked = command(found, moment);
        if (asked === null) return { result: { made: found! } };
        if ('code' in asked) return { result: asked };
        const decided = decideStanding(found, asked, { now, directory: configurations.directory(tenant, moment) });
        if (!decided.ok) return { result: { code: decided.code } };
        const { next, events } = appliedStanding(found, decided.events, {});
        return { result: { made: next ?? found! }, ...(next ? { next } : {}), events };
      }),
    );
    if ('code' in result) throw new Refusal(result.code);
    return viewOf(result.made, now);
  }
}

function viewOf({ id, person, call, flow, condition, until, revoked, uses }: StandingApproval, now: number): StandingView {
  const { agent, server, method, tool, toolHash } = call;
  const state = revoked ? 'revoked' : now >= until ? 'over' : 'in_force';
  return { id, person, agent, server, method, tool, toolHash, flow, condition, until: new Date(until).toISOString(), state, uses };
}
