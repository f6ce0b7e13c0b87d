import type { Principal, Ticket } from '#libs/ports';
import type { CallAnswer, HeldAnswer } from '../call/call.ts';
import { aboutApproval } from '../call/refused.ts';
import type { ApprovalWaits } from './approval-waits.ts';
import type { Exchange, RpcRequest } from './exchange.ts';
import { isObject, type RpcId } from './protocol.ts';
import { type McpReply, resultReply } from './reply.ts';
import type { SessionSealer } from './sessions.ts';

/** How long one request waits for people. */
const PATIENCE_MS = 45_000;
/** Clients of the older era that hear of progress wait longer for it. */
const PATIENCE_WITH_PROGRESS_MS = 150_000;
/** And these begin their own time-out anew with each progress. */
const PATIENT_CLIENTS: Readonly<Record<string, number>> = { 'claude-code': 600_000, 'claude-ai': 240_000, 'visual studio code': 600_000, cursor: 600_000 };
/** How often a client of the 2026 era is told to come back before it is told that the call is pending. */
const MAX_LEGS = 10;
/** How late a client may come back with its state. */
const COME_BACK_MS = 10 * 60_000;
const MARK = 'holdfast-approval.';

export interface LaneDependencies {
  readonly waits: ApprovalWaits;
  readonly sealer: SessionSealer;
  readonly now: () => number;
  readonly find: (tenant: string, approval: string) => Promise<Ticket | null>;
  /** What became of it, as it was told at the end. */
  readonly answer: (tenant: string, approval: string) => Promise<string | null>;
}

/** What travels in `requestState` between two legs. */
interface State {
  readonly approval: string;
  readonly owner: string;
  readonly asked: string;
  readonly leg: number;
  readonly until: number;
}

/** Back for a call that waits for people: the ticket and the leg that begins. */
export interface Leg {
  readonly ticket: Ticket;
  readonly leg: number;
  readonly why: string;
}

export type LaneEnd =
  | { readonly kind: 'reply'; readonly reply: McpReply }
  /** It is to be told as an answer. */
  | { readonly kind: 'answer'; readonly ticket: Ticket; readonly answer: CallAnswer }
  /** People approved, and the client is there. */
  | { readonly kind: 'approved'; readonly ticket: Ticket };

/** How requests wait for people: the older era as long as its clients can, the 2026 era in legs, each a request of its own. */
export class Lanes {
  constructor(private readonly deps: LaneDependencies) {}

  /** Waits for a held call until something can be said about it. `asked` names what is called, with its arguments. */
  async wait(inbound: RpcRequest, { request, session }: Exchange, held: Pick<HeldAnswer, 'ticket' | 'why'>, asked: () => string, leg: number, progress: ((params: string) => void) | undefined): Promise<LaneEnd> {
    const { channel, principal } = request;
    if (progress || inbound.era === 'modern') channel.open();
    const { ticket, gone } = await this.deps.waits.until(held.ticket, {
      ms: inbound.era === 'modern' ? PATIENCE_MS : legacyPatience(progress !== undefined, session?.claimedClient),
      channel,
      onProgress: (seconds, { progress: how }) => progress?.(JSON.stringify({ progress: seconds, message: `waiting for approval: ${how}` })),
    });
    if (ticket.status === 'approved') return gone ? { kind: 'answer', ticket, answer: aboutApproval(ticket) } : { kind: 'approved', ticket };
    if (ticket.status === 'executed' || ticket.status === 'failed' || ticket.status === 'unknown') {
      const told = await this.deps.answer(ticket.tenant, ticket.approval);
      return { kind: 'answer', ticket, answer: told === null ? aboutApproval(ticket) : (JSON.parse(told) as CallAnswer) };
    }
    if (ticket.status === 'held' && inbound.era === 'modern' && leg <= MAX_LEGS && !gone) {
      return { kind: 'reply', reply: this.comeBackLater(inbound.id, ticket, principal, asked(), leg) };
    }
    return { kind: 'answer', ticket, answer: aboutApproval(ticket) };
  }

  /** The leg that a request of the 2026 era continues; `foreign` when its state is not this caller's for this request. */
  async leg(state: unknown, principal: Principal, asked: string): Promise<Leg | 'foreign' | undefined> {
    if (typeof state !== 'string' || !state.startsWith(MARK)) return undefined;
    const text = this.deps.sealer.open(state.slice(MARK.length));
    const read: unknown = text === null ? undefined : JSON.parse(text);
    if (!isObject(read)) return 'foreign';
    const { approval, owner, asked: before, leg, until } = read as unknown as State;
    if (owner !== ownerOf(principal) || before !== asked || this.deps.now() > until) return 'foreign';
    const ticket = await this.deps.find(principal.tenant, approval);
    return ticket ? { ticket, leg: leg + 1, why: '' } : 'foreign';
  }

  private comeBackLater(id: RpcId, { approval }: Ticket, principal: Principal, asked: string, leg: number): McpReply {
    const state: State = { approval, owner: ownerOf(principal), asked, leg, until: this.deps.now() + COME_BACK_MS };
    return resultReply(id, JSON.stringify({ resultType: 'input_required', requestState: MARK + this.deps.sealer.seal(JSON.stringify(state)) }));
  }
}

function legacyPatience(progress: boolean, client: string | undefined): number {
  if (!progress) return PATIENCE_MS;
  const name = client?.split('/')[0]?.toLowerCase() ?? '';
  return Object.hasOwn(PATIENT_CLIENTS, name) ? PATIENT_CLIENTS[name]! : PATIENCE_WITH_PROGRESS_MS;
}

function ownerOf({ tenant, user, client, agent }: Principal): string {
  return JSON.stringify([tenant, user, client, agent ?? null]);
}
