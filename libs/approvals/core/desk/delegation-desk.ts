import { type ErrorCode, type EventDraft, Refusal } from '#libs/contracts';
import type { Clock, Ids } from '#libs/ports';
import type { DelegationScope } from '../held/delegation.ts';
import { decideDelegation, type DelegationCommand, evolveDelegation, type GeneralDelegation } from '../held/out-of-office.ts';
import type { Configurations } from './configurations.ts';
import type { DelegationStore } from './delegation-store.ts';
import type { Person } from './people-desk.ts';
import { isUuid } from './records.ts';

export interface DelegationView {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly until: string;
  readonly scope: DelegationScope;
  readonly revoked: boolean;
}

export interface DelegationDeskDependencies {
  readonly delegations: DelegationStore;
  readonly configurations: Configurations;
  readonly clock: Clock;
  readonly ids: Ids;
}

const MOST_SHOWN = 500;

/** What people may do with their own right to decide while they are away. */
export class DelegationDesk {
  constructor(private readonly deps: DelegationDeskDependencies) {}

  /** All of the tenant for who operates or audits it, the own ones for everybody else. */
  async list(person: Person): Promise<readonly DelegationView[]> {
    const own = person.operator || person.auditor ? null : person.id;
    return (await this.deps.delegations.list(person.tenant, own, MOST_SHOWN)).map(viewOf);
  }

  /** `id` is given by who must not make it twice. */
  create(person: Person, asked: { readonly to: string; readonly until: number; readonly scope: DelegationScope }, id = this.deps.ids.uuid()): Promise<DelegationView> {
    return this.change(person, id, { type: 'create', id, from: person.id, ...asked, via: person.via });
  }

  revoke(person: Person, id: string): Promise<DelegationView> {
    return this.change(person, id, { type: 'revoke', person: person.id, operator: person.operator, via: person.via });
  }

  private async change({ tenant }: Person, id: string, command: DelegationCommand): Promise<DelegationView> {
    if (!isUuid(id)) throw new Refusal('delegation_not_found');
    const { delegations, configurations, clock } = this.deps;
    const done = await configurations.deciding(() =>
      delegations.change<{ readonly code: ErrorCode } | { readonly made: GeneralDelegation }>(tenant, id, (found, moment) => {
        const decided = decideDelegation(found, command, { now: clock.now(), directory: configurations.directory(tenant, moment) });
        if (!decided.ok) return { result: { code: decided.code } };
        let made = found;
        for (const event of decided.events) made = evolveDelegation(made, event);
        const result = { made: made! };
        if (decided.events.length === 0) return { result };
        return { result, next: made!, events: decided.events.map((event) => ({ ...event, tenant, corr: id, links: {} }) as EventDraft) };
      }),
    );
    if ('code' in done) throw new Refusal(done.code);
    return viewOf(done.made);
  }
}

function viewOf({ id, from, to, until, scope, revoked }: GeneralDelegation): DelegationView {
  return { id, from, to, until: new Date(until).toISOString(), scope, revoked };
}
