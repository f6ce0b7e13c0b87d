import { ConfiguredWorkspaces, hmacHex, SlackChannel } from '#libs/adapters/slack';
import { Handles, type PeopleDesk, PressQueue, SlackDesk, SlackInlet, SlackLinking, type SlackLinks, SlackSignatures, type TextSealer } from '#libs/approvals/core';
import type { HoldfastConfig } from '#libs/contracts';
import { type Log, resolveSecret, type SecretSources } from '#libs/platform';
import type { Clock, Ids, Jobs, JobWorker } from '#libs/ports';
import { sleep } from './system.ts';

export interface SlackOptions {
  readonly log: Log;
  readonly people: PeopleDesk;
  readonly jobs: Jobs;
  readonly links: SlackLinks;
  readonly sealer: TextSealer;
  readonly secrets: SecretSources;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digestOf: (text: string) => string;
  /** How people reach this Holdfast. */
  readonly publicUrl: () => string;
}

/** Slack, wired: `channel` for who notifies, `edge` for what comes in. Nothing is connected or worked on before `start`. */
export function composeSlack({ log, people, jobs, links, sealer, secrets, clock, ids, digestOf, ...options }: SlackOptions) {
  const workspaces = new ConfiguredWorkspaces({
    resolveSecret: (reference) => resolveSecret(reference, secrets),
    onBroken: (broken) => log.error({ ...broken }, 'a Slack channel is broken: nobody is told there until somebody mends it'),
    onFault: (error) => log.warn({ err: error }, 'something went wrong with Slack'),
  });
  const handles = new Handles(sealer);
  const linking = new SlackLinking({ workspaces, links, clock, ids, digestOf });
  const publicUrl = (): string => options.publicUrl().replace(/\/+$/, '');
  const pageOf = (_tenant: string, approval: string): string => `${publicUrl()}/console/approvals/${approval}`;
  const desk = new SlackDesk({ people, workspaces, links, linking, handles, clock, pageOf, linkPage: (_tenant, nonce) => `${publicUrl()}/slack/link/${nonce}` });
  const queue = new PressQueue(jobs, () => ids.uuid());
  const inlet = new SlackInlet({ desk, workspaces, later: queue, wait: sleep, onFault: (error) => log.error({ err: error }, 'what somebody did in Slack could not be done') });
  const channel = new SlackChannel({ workspaceOf: (tenant) => workspaces.ofTenant(tenant), links, handles, clock });
  let worker: JobWorker | undefined;
  return {
    channel,
    edge: { inlet, signatures: new SlackSignatures(hmacHex), workspaces, linking, now: () => clock.now() },
    /** Takes a configuration that came into force. */
    use: (config: HoldfastConfig): void => workspaces.use(config),
    /** Begins to work, and opens the connections of Socket Mode. What comes over one is of the app that opened it, and says so in each message. */
    start(): void {
      worker ??= queue.work((work) => desk.press(work));
      workspaces.start((tenant, kind, payload) => {
        const from = (workspace: { readonly tenant: string }): boolean => workspace.tenant === tenant;
        return kind === 'command' ? inlet.command(payload as Record<string, unknown>, from) : inlet.interaction(payload, from);
      });
    },
    async close(): Promise<void> {
      await Promise.all([worker?.close(), workspaces.close()]);
    },
  };
}
