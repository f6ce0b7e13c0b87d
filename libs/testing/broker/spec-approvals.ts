import { MemoryApprovalStore } from '#libs/adapters/memory';
import { type Accepted, ApprovalDesk, type Command, Configurations, decide, directoryOf, type DirectoryFacts, evolve } from '#libs/approvals/core';
import type { HoldfastConfig, SealedField } from '#libs/contracts';
import type { Approvals, Clock, Ids, Sealer } from '#libs/ports';

/** Seals nothing: what is closed can be read. */
export const plainSealer: Sealer = {
  seal: (_tenant, _subject, values) => Promise.resolve({ commitments: {}, fields: Object.entries(values).map(([path, value]): SealedField => ({ path, keyId: 'plain', box: Buffer.from(JSON.stringify(value)) })) }),
  open: (_tenant, { box }) => Promise.resolve({ salt: new Uint8Array(), canonical: Buffer.from(box).toString() }),
};

/** The real desk over a store in memory, and people who decide at once. */
export class SpecApprovals {
  readonly store = new MemoryApprovalStore();
  readonly desk: Approvals;

  constructor(
    private readonly config: HoldfastConfig,
    private readonly clock: Clock,
    ids: Ids,
    digestOf: (text: string) => string,
  ) {
    const configurations = new Configurations({ latest: () => Promise.resolve({ revision: this.store.now.revision, digest: '', config: this.config }) });
    this.desk = new ApprovalDesk({ store: this.store, standing: this.store.standing, configurations, outbox: { delivered: () => Promise.resolve(true) }, sealer: plainSealer, clock, ids, digestOf, meets: () => 'not_met' });
  }

  /** The ids of all approvals, oldest first. */
  get ids(): string[] {
    return [...this.store.rows.keys()];
  }

  /** A command of people or time, which must be accepted. */
  async does(id: string, command: Command): Promise<Accepted> {
    const row = this.store.rows.get(id)!;
    const { tenant } = row.stored.state.binding;
    let accepted: Accepted | undefined;
    await this.store.change(tenant, id, (found) => {
      const decided = decide(found.state, command, { now: this.clock.now(), directory: directoryOf(this.people(tenant)) });
      if (!decided.ok) throw new Error(`${command.type} was refused: ${decided.code}`);
      accepted = decided;
      let state = found.state;
      for (const event of decided.events) state = evolve(state, event);
      return { result: null, next: { ...found, state, changedAt: this.clock.now() }, events: decided.events.map((event) => ({ ...event, tenant, corr: state.call, links: { call: state.call, approval: id } }) as never) };
    });
    return accepted!;
  }

  approve(id: string, person: string): Promise<Accepted> {
    return this.does(id, { type: 'vote', person, verdict: 'approve', version: this.store.rows.get(id)!.stored.state.version, via: 'api' });
  }

  deny(id: string, person: string): Promise<Accepted> {
    return this.does(id, { type: 'vote', person, verdict: 'deny', reason: 'no', version: this.store.rows.get(id)!.stored.state.version, via: 'api' });
  }

  private people(tenant: string): DirectoryFacts {
    return { people: this.config.identity.users.filter((user) => user.tenant === tenant).map(({ id, groups, roles }) => ({ id, groups, roles, active: true })) };
  }
}
