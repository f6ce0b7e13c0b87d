import { MemoryApprovalStore } from '#libs/adapters/memory';
import { type Accepted, ApprovalDesk, type Command, Configurations, decide, directoryOf, type DirectoryFacts, evolve, Safe } from '#libs/approvals/core';
import { canonicalJson, type HoldfastConfig, type SealedField } from '#libs/contracts';
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
    private config: HoldfastConfig,
    private readonly clock: Clock,
    ids: Ids,
    private readonly digestOf: (text: string) => string,
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

  /** Approves with other arguments. */
  async edit(id: string, person: string, value: Record<string, unknown>): Promise<Accepted> {
    const row = this.store.rows.get(id)!;
    const { binding, version } = row.stored.state;
    const sealed = await new Safe(plainSealer).with(binding.tenant, binding.user, { '/edited': value }, row.stored.sealed);
    await this.store.change(binding.tenant, id, (found) => ({ result: null, next: { ...found, sealed } }));
    return this.does(id, { type: 'edit', person, args: { digest: this.digestOf(canonicalJson(value)), absent: false }, value, valid: true, version, via: 'api' });
  }

  /** Somebody leaves the house. */
  without(person: string): void {
    this.config = { ...this.config, identity: { ...this.config.identity, users: this.config.identity.users.filter(({ id }) => id !== person) } };
    this.store.now.revision++;
  }

  /** Another configuration is in force. */
  use(config: HoldfastConfig): void {
    this.config = config;
    this.store.now.revision++;
  }

  private people(tenant: string): DirectoryFacts {
    return { people: this.config.identity.users.filter((user) => user.tenant === tenant).map(({ id, groups, roles }) => ({ id, groups, roles, active: true })) };
  }
}
