import type { EventDraft } from '#libs/contracts';
import type { BrokerLeases, Clock, OpenCall, OpenCalls, Recorder } from '#libs/ports';

const PAGE = 500;

/** A silence of our own longer than this, and others may have spoken without being heard. */
const SILENCE_MS = 2_000;

export interface LostBrokersDependencies {
  readonly leases: BrokerLeases;
  readonly openCalls: OpenCalls;
  readonly recorder: Recorder;
  /** Brings into the journal what a lost broker still knew of its calls; nothing when it left nothing. */
  readonly deliver: (broker: string) => Promise<unknown>;
  readonly clock: Pick<Clock, 'monotonicUs'>;
  /** How long a lease lasts. */
  readonly leaseMs: number;
}

/**
 * Gives every open call of a lost broker its outcome: unknown. Nobody retries such a call; a person may reconcile it. Who could not
 * hear renewals for a while — the database was away, this process was frozen — waits a whole lease before judging anybody by it.
 */
export class LostBrokers {
  private hearingSinceUs: number | undefined;
  private lastRoundUs = Number.NEGATIVE_INFINITY;

  constructor(private readonly deps: LostBrokersDependencies) {}

  /**
   * A broker is settled only when the projection has caught up and shows none of its calls open, so a crash in between repeats the
   * question, never the answer. Returns the calls settled, or null when the projection lags and the caller should ask again later.
   */
  async round(): Promise<number | null> {
    const { leases, openCalls, recorder } = this.deps;
    if (this.hearsEveryone()) await leases.declareLost();
    let settled = 0;
    for (const broker of await leases.lost()) {
      // What it knew first: a call whose outcome is known must not get another one.
      await this.deps.deliver(broker);
      if (!(await openCalls.caughtUp())) return null;
      const open = await openCalls.of(broker, PAGE);
      if (open.length === 0) {
        await leases.settled(broker);
        continue;
      }
      await recorder.record(open.map((call) => outcomeUnknown(call, broker)));
      settled += open.length;
      // The next round finds the rest, or nothing, once these are projected.
    }
    this.lastRoundUs = this.deps.clock.monotonicUs();
    return settled;
  }

  private hearsEveryone(): boolean {
    const nowUs = this.deps.clock.monotonicUs();
    if (nowUs - this.lastRoundUs > SILENCE_MS * 1000) this.hearingSinceUs = nowUs;
    this.lastRoundUs = nowUs;
    return nowUs - this.hearingSinceUs! >= this.deps.leaseMs * 1000;
  }
}

function outcomeUnknown(call: OpenCall, broker: string): EventDraft {
  return {
    type: 'call.outcome_unknown',
    tenant: call.tenant,
    actor: {
      ...(call.user === undefined ? {} : { user: call.user }),
      ...(call.client === undefined ? {} : { client: call.client }),
      ...(call.agent === undefined ? {} : { agent: call.agent }),
      via: 'system',
    },
    corr: call.call,
    cause: call.decision,
    links: { call: call.call },
    data: { reason: 'broker_lost', broker },
  };
}
