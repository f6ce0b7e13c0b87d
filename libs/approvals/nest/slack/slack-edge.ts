import type { SlackInlet, SlackLinking, SlackSignatures, SlackWorkspaces } from '#libs/approvals/core';

/** What the edge of Slack is made of; composition makes it. */
export interface SlackEdge {
  readonly inlet: SlackInlet;
  readonly signatures: SlackSignatures;
  readonly workspaces: SlackWorkspaces;
  readonly linking: SlackLinking;
  readonly now: () => number;
}
