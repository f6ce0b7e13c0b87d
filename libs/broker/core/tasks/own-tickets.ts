import type { Approvals, Principal, Ticket } from '#libs/ports';
import type { Endpoint } from '../registry/visible.ts';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a caller may know of an approval: its own call, with a credential that reaches the call's server. Everything else is not there. */
export async function ownTicket(approvals: Pick<Approvals, 'find'>, id: unknown, principal: Principal, endpoint: Endpoint): Promise<Ticket | null> {
  if (typeof id !== 'string' || !ID.test(id)) return null;
  const ticket = await approvals.find(principal.tenant, id);
  return ticket && isOwn(ticket, principal, endpoint) ? ticket : null;
}

function isOwn({ caller, server }: Ticket, principal: Principal, endpoint: Endpoint): boolean {
  const { user, client, agent, servers } = principal;
  if (caller.user !== user || caller.client !== client || caller.agent !== (agent ?? null)) return false;
  if (servers && !servers.includes(server)) return false;
  return !('server' in endpoint) || endpoint.server.facts.id === server;
}
