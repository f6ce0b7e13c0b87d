import type { ImpactClass, SlackConfig } from '#libs/contracts';
import type { SlackContent, SlackView } from './blocks.ts';

/** Slack as it was configured for one tenant, with the way to it. */
export interface SlackWorkspace {
  readonly tenant: string;
  readonly settings: SlackSettings;
  readonly signingSecret: string;
  readonly api: SlackApi;
  /** The users of the tenant, as configuration in force has them. */
  readonly users: readonly { readonly id: string; readonly email?: string | undefined }[];
}

export type SlackSettings = Pick<SlackConfig, 'appId' | 'teamId' | 'showArguments' | 'riskCeiling' | 'trustVerifiedEmail'>;

/** The workspaces in force. */
export interface SlackWorkspaces {
  ofTenant(tenant: string): SlackWorkspace | undefined;
  /** One app in one workspace speaks for one tenant. */
  ofTeam(team: string, app: string): SlackWorkspace | undefined;
  all(): readonly SlackWorkspace[];
}

/** Who a Slack account is, by Slack's own word. */
export interface SlackAccount {
  readonly id: string;
  readonly name: string;
  /** An active human who is a full member of this very workspace: no guest, no app, nobody of another company. */
  readonly fullMember: boolean;
  /** The address, when Slack has verified it. */
  readonly verifiedEmail: string | null;
}

/** What the desk asks of Slack. A rejection means that it was not done, or that nobody knows. */
export interface SlackApi {
  account(user: string): Promise<SlackAccount>;
  /** False when Slack's ticket for it has run out. */
  openView(trigger: string, view: SlackView): Promise<boolean>;
  /** Tells one person something that nobody else sees: where they are, or else in a direct message. */
  whisper(channel: string | null, user: string, content: SlackContent): Promise<void>;
}

const BY_RISK: readonly ImpactClass[] = ['read', 'read-sensitive', 'write', 'external'];

/** Whether calls of this class are not decided in Slack. A class nobody knows is above everything. */
export function isAboveCeiling(impactClass: string, ceiling: ImpactClass): boolean {
  const risk = (BY_RISK as readonly string[]).indexOf(impactClass);
  return risk === -1 || risk > BY_RISK.indexOf(ceiling);
}
