import { Refusal } from '#libs/contracts';
import { type Interaction, readCommand, readInteraction } from './read-interaction.ts';
import type { FormAnswer, SlackDesk, SlackWork } from './slack-desk.ts';
import type { SlackWorkspace, SlackWorkspaces } from './workspace.ts';

/** Where work goes on when Slack has its answer. Resolves when it is kept; rejects when it is not, and the person is to press again. */
export interface Later {
  later(work: SlackWork): Promise<void>;
}

/** What Slack is answered; null is an empty answer. */
export type InletAnswer = Readonly<Record<string, unknown>> | null;

export interface SlackInletDependencies {
  readonly desk: SlackDesk;
  readonly workspaces: SlackWorkspaces;
  readonly later: Later;
  /** Resolves after this long. */
  readonly wait: (ms: number) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** Slack waits for three seconds. */
const ANSWER_MS = 2_000;
/** Forms whose decision takes longer than Slack waits, at once. */
const MOST_LATE = 100;

/**
 * What Slack tells us, by HTTP or by socket, once it is known to be from Slack. Presses are answered at once and done afterwards. A form is
 * decided before it is answered, because only the answer can say in the form what is wrong with it; when that takes too long it goes on
 * behind the answer, and the person is told.
 */
export class SlackInlet {
  private late = 0;

  constructor(private readonly deps: SlackInletDependencies) {}

  /** `from` says whether what was proven of the sender fits the workspace. */
  async interaction(payload: unknown, from: (workspace: SlackWorkspace) => boolean): Promise<InletAnswer> {
    const interaction = readInteraction(payload);
    if (!interaction) throw new Refusal('request_invalid');
    const workspace = this.workspaceOf(interaction, from);
    if (interaction.kind === 'nothing') return null;
    if (interaction.kind === 'submission') return this.submitted(workspace, interaction);
    const { user, trigger, channel, handle } = interaction;
    // Without a handle it is a button that opens a page, and the page is open already.
    if (handle !== null) await this.deps.later.later({ tenant: workspace.tenant, user, trigger, channel, handle });
    return null;
  }

  async command(fields: Readonly<Record<string, unknown>>, from: (workspace: SlackWorkspace) => boolean): Promise<InletAnswer> {
    const command = readCommand(fields);
    if (!command) throw new Refusal('request_invalid');
    const workspace = this.workspaceOf(command, from);
    const content = await Promise.race([this.deps.desk.command(workspace, command), this.deps.wait(ANSWER_MS)]);
    if (content) return { response_type: 'ephemeral', ...content };
    return { response_type: 'ephemeral', text: 'That took too long; try again.' };
  }

  private async submitted(workspace: SlackWorkspace, submission: Extract<Interaction, { kind: 'submission' }>): Promise<InletAnswer> {
    if (this.late >= MOST_LATE) throw new Refusal('overloaded');
    const deciding = this.deps.desk.submit(workspace, submission);
    const answer = await Promise.race([deciding, this.deps.wait(ANSWER_MS)]);
    if (answer) return answer;
    this.late++;
    void this.finish(workspace, submission.user, deciding);
    return {};
  }

  private async finish(workspace: SlackWorkspace, user: string, deciding: Promise<FormAnswer>): Promise<void> {
    try {
      const answer = await deciding.catch((error: unknown) => {
        this.deps.onFault(error);
        return { response_action: 'errors' };
      });
      await this.deps.desk.tellLate(workspace, user, answer);
    } catch (error) {
      this.deps.onFault(error);
    } finally {
      this.late--;
    }
  }

  private workspaceOf({ team, app }: { readonly team: string; readonly app: string }, from: (workspace: SlackWorkspace) => boolean): SlackWorkspace {
    const workspace = this.deps.workspaces.ofTeam(team, app);
    if (!workspace || !from(workspace)) throw new Refusal('signature_invalid');
    return workspace;
  }
}
