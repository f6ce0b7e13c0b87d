import { ConfiguredWorkspaces, hmacHex, SlackChannel } from '#libs/adapters/slack';
import { Handles, JobQueue, type PeopleDesk, SlackDesk, SlackInlet, SlackLinking, type SlackLinks, SlackSignatures, type TextSealer } from '#libs/approvals/core';
import type { HoldfastConfig } from '#libs/contracts';
import { type Log, resolveSecret, type SecretSources } from '#libs/platform';
import type { Clock, Ids, Jobs, JobWorker } from '#libs/ports';
import { sleep } from './system.ts';

export interface SlackOptions {
  readonly log: Log;
  readonly people: PeopleDesk;
  readonly links: SlackLinks;
  readonly jobs: Jobs;
  readonly sealer: TextSealer;
  readonly secrets: SecretSources;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digestOf: (text: string) => string;
  /** How people reach this Holdfast; no slash at the end. */
  readonly publicUrl: () => string;
}

/** Slack, wired: `channel` for who notifies, the rest for the edge. Nothing is connected before `start`. */
export function composeSlack(options: SlackOptions) {
  const { log, people, links, clock, ids, digestOf, publicUrl } = options;
  const workspaces = new ConfiguredWorkspaces({
    resolveSecret: (reference) => resolveSecret(reference, options.secrets),
    onBroken: (broken) => log.error({ ...broken }, 'a Slack channel is broken: nobody is told there until somebody mends it'),
    onFault: (error) => log.warn({ err: error }, 'something went wrong with Slack'),
  });
  const handles = new Handles(options.sealer);
  const linking = new SlackLinking({ workspaces, links, clock, ids, digestOf });
  const desk = new SlackDesk({
    people,
    workspaces,
    links,
    linking,
    handles,
    clock,
    pageOf: (_tenant, approval) => `${publicUrl()}/console/approvals/${approval}`,
    linkPage: (_tenant, nonce) => `${publicUrl()}/slack/link/${nonce}`,
  });
  const queue = new JobQueue(options.jobs, () => ids.uuid());
  const inlet = new SlackInlet({ desk, workspaces, later: queue, wait: sleep, onFault: (error) => log.error({ err: error }, 'what somebody did in Slack could not be done') });
  let worker: JobWorker | undefined;
  return {
    channel: new SlackChannel({ workspaceOf: (tenant) => workspaces.ofTenant(tenant), links, handles, clock }),
    edge: { inlet, signatures: new SlackSignatures(hmacHex), workspaces, linking, now: () => clock.now(), publicUrl },
    /** Takes a configuration that came into force. */
    use: (config: HoldfastConfig): void => workspaces.use(config),
    /** Works on what was pressed, and opens the connections of Socket Mode. What comes over one is of the app that opened it, and says so in each message. */
    start(): void {
      worker = queue.work((work) => desk.press(work));
      workspaces.start((tenant, kind, payload) => (kind === 'command' ? inlet.command(payload as Record<string, unknown>, (workspace) => workspace.tenant === tenant) : inlet.interaction(payload, (workspace) => workspace.tenant === tenant)));
    },
    async close(): Promise<void> {
      await workspaces.close();
      await worker?.close();
    },
  };
}
