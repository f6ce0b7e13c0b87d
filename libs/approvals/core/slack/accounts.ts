import type { Person } from '../desk/people-desk.ts';
import type { SlackLinks } from './slack-links.ts';
import type { SlackAccount, SlackWorkspace } from './workspace.ts';

/** Which person a Slack account is; null when nobody knows. */
export async function personOf(workspace: SlackWorkspace, user: string, links: Pick<SlackLinks, 'personOf' | 'accountOf'>): Promise<Person | null> {
  const { tenant, settings, users } = workspace;
  const linked = await links.personOf(tenant, settings.teamId, user);
  // A link stands above an address, also when the person is gone: their account is not somebody else's then.
  if (linked !== null) return users.some(({ id }) => id === linked) ? person(tenant, linked) : null;
  if (!settings.trustVerifiedEmail) return null;
  const id = byEmail(await workspace.api.account(user), users);
  if (id === null || (await links.accountOf(tenant, settings.teamId, id)) !== null) return null;
  return person(tenant, id);
}

/** The one user with the address of a full member; null when there is none, or more than one. */
export function byEmail({ fullMember, verifiedEmail }: SlackAccount, users: SlackWorkspace['users']): string | null {
  if (!fullMember || verifiedEmail === null) return null;
  const [user, ...others] = users.filter(({ email }) => email !== undefined && sameAddress(email, verifiedEmail));
  return user !== undefined && others.length === 0 ? user.id : null;
}

export function sameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** As Slack says it, nobody operates or audits: who does that does it where they signed in. */
function person(tenant: string, id: string): Person {
  return { tenant, id, operator: false, auditor: false, via: 'slack' };
}

/** What is read of a user object of `users.info`. */
export interface SlackUser {
  readonly id?: string | undefined;
  readonly team_id?: string | undefined;
  readonly name?: string | undefined;
  readonly real_name?: string | undefined;
  readonly deleted?: boolean | undefined;
  readonly is_bot?: boolean | undefined;
  readonly is_app_user?: boolean | undefined;
  readonly is_restricted?: boolean | undefined;
  readonly is_ultra_restricted?: boolean | undefined;
  readonly is_stranger?: boolean | undefined;
  readonly is_invited_user?: boolean | undefined;
  readonly is_email_confirmed?: boolean | undefined;
  readonly profile?: { readonly email?: string | undefined; readonly display_name?: string | undefined; readonly real_name?: string | undefined } | undefined;
}

/** What Slack says of a user of the workspace `team`. What it does not say counts as no. */
export function accountOf(user: SlackUser, team: string): SlackAccount {
  const barred = [user.deleted, user.is_bot, user.is_app_user, user.is_restricted, user.is_ultra_restricted, user.is_stranger, user.is_invited_user].some((flag) => flag === true);
  const email = user.profile?.email;
  return {
    id: user.id ?? '',
    name: user.profile?.display_name || user.real_name || user.profile?.real_name || user.name || user.id || '',
    fullMember: !barred && user.deleted === false && user.team_id === team,
    verifiedEmail: user.is_email_confirmed === true && email !== undefined && email !== '' ? email : null,
  };
}
