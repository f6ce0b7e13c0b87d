import type { HeldRequest, HoldRequest, Ticket } from '#libs/ports';
import type { Decision } from '../policy/decide.ts';
import type { Offer } from '../registry/offer.ts';
import type { Call } from './call.ts';
import type { ArgumentFacts } from './call-drafts.ts';

/** What a call is bound to, but for its arguments. */
export function identityOf(call: Call, tool: Offer): HoldRequest['identity'] {
  const { tenant, user, client, agent } = call.principal;
  return { tenant, user, client, agent: agent ?? null, server: tool.server.id, method: call.method, tool: tool.name, toolHash: tool.hash };
}

export function holdRequest(call: Call, tool: Offer, args: ArgumentFacts, decision: Decision, joins: boolean): HoldRequest {
  const { principal, method, name, params, endpoint, protocol, ip, claimedClient, run, idempotencyKey, traceparent, upstreamMeta } = call;
  const request: HeldRequest = {
    principal,
    method,
    name,
    args: call.args,
    params,
    endpoint,
    protocol,
    ...(ip === undefined ? {} : { ip }),
    ...(claimedClient === undefined ? {} : { claimedClient }),
    ...(run === undefined ? {} : { run }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(call.client === undefined ? {} : { capabilities: call.client.capabilities }),
    upstreamMeta,
  };
  return {
    call: call.id,
    identity: identityOf(call, tool),
    args: { digest: args.digest, absent: call.args === undefined },
    policyVersion: decision.policyVersion,
    rule: decision.rule ?? '',
    why: decision.reason,
    flow: decision.flow,
    reason: call.reason,
    impactClass: tool.class,
    lane: call.lane,
    joins,
    request,
    inputSchema: tool.inputSchema,
  };
}

/** The held call again, for whoever wants its answer now. */
export function heldCall(ticket: Ticket, request: HeldRequest, now: Pick<Call, 'client' | 'cancellation' | 'receivedUs' | 'input'>): Call {
  const { ip, claimedClient, run, idempotencyKey, traceparent, args, capabilities: _, ...rest } = request;
  return {
    ...rest,
    ...now,
    id: ticket.call,
    approval: ticket.approval,
    lane: ticket.lane,
    args,
    argsBytes: args === undefined ? 0 : Buffer.byteLength(JSON.stringify(args)),
    ip,
    claimedClient,
    run,
    idempotencyKey,
    traceparent,
    reason: undefined,
  };
}
