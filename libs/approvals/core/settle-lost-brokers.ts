import type { EventDraft } from '#libs/contracts';
import type { BrokerLeases, OpenCall, OpenCalls, Recorder } from '#libs/ports';

const PAGE = 500;

/**
 * Gives every open call of a lost broker its outcome: unknown. Nobody retries such a call; a person may reconcile it. A broker is
 * settled only when the projection has caught up and shows none of its calls open, so a crash in between repeats the question,
 * never the answer. Returns the calls settled, or null when the projection lags and the caller should ask again later.
 */
export async function settleLostBrokers(leases: BrokerLeases, openCalls: OpenCalls, recorder: Recorder): Promise<number | null> {
  let settled = 0;
  for (const broker of await leases.lost()) {
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
  return settled;
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
