import { ConfiguredWorkspaces, hmacHex, SlackChannel } from '#libs/adapters/slack';
import { Handles, type PeopleDesk, SlackDesk, SlackInlet, SlackLinking, type SlackLinks, SlackSignatures, StandInNotifier, type StandInNotifierDependencies, type TextSealer, WorkQueue } from '#libs/approvals/core';
import type { HoldfastConfig } from '#libs/contracts';
import { type Log, resolveSecret, type SecretSources } from '#libs/platform';
import type { Clock, Ids } from '#libs/ports';
import { sleep } from './system.ts';

export interface SlackOptions {
  readonly log: Log;
  readonly people: PeopleDesk;
  readonly links: SlackLinks;
  readonly desk: Pick<StandInNotifierDependencies, 'store' | 'configurations'>;
  readonly sealer: TextSealer;
  readonly secrets: SecretSources;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digestOf: (text: string) => string;
  /** How people reach this Holdfast where the configuration does not say it; no slash at the end. */
  readonly publicUrl: () => string;
}

/** What was begun is waited for no longer than this; who pressed sees that nothing changed. */
const CLOSE_MS = 2_000;

/** Slack, wired: `channel` for who notifies, the rest for the edge. Nothing is connected before `start`. */
export function composeSlack(options: SlackOptions) {
  const { log, people, links, clock, ids, digestOf } = options;
  const workspaces = new ConfiguredWorkspaces({
    resolveSecret: (reference) => resolveSecret(reference, options.secrets),
    onBroken: (broken) => log.error({ ...broken }, 'a Slack channel is broken: nobody is told there until somebody mends it'),
    onFault: (error) => log.warn({ err: error }, 'something went wrong with Slack'),
  });
  const handles = new Handles(options.sealer);
  const linking = new SlackLinking({ workspaces, links, clock, ids, digestOf });
  const publicUrl = (tenant: string): string => (workspaces.ofTenant(tenant)?.publicUrl ?? options.publicUrl()).replace(/\/+$/, '');
  const pageOf = (tenant: string, approval: string): string => `${publicUrl(tenant)}/console/approvals/${approval}`;
  const desk = new SlackDesk({ people, workspaces, links, linking, handles, clock, pageOf, linkPage: (tenant, nonce) => `${publicUrl(tenant)}/slack/link/${nonce}` });
  const onFault = (error: unknown): void => log.error({ err: error }, 'what somebody did in Slack could not be done');
  const queue = new WorkQueue({ press: (work) => desk.press(work), wait: sleep, onFault });
  const inlet = new SlackInlet({ desk, workspaces, later: queue, wait: sleep, onFault });
  const channel = new SlackChannel({ workspaceOf: (tenant) => workspaces.ofTenant(tenant), links, handles, clock });
  const standIn = new StandInNotifier({ ...options.desk, channel, clock, uuid: () => ids.uuid(), pageOf, onHopeless: (error, { tenant, view }) => log.warn({ err: error, tenant, approval: view.id }, 'a message could not be sent') });
  return {
    channel,
    edge: { inlet, signatures: new SlackSignatures(hmacHex), workspaces, linking, now: () => clock.now(), publicUrl: options.publicUrl, standIn: () => standIn.round() },
    /** Takes a configuration that came into force. */
    use: (config: HoldfastConfig): void => workspaces.use(config),
    /** Opens the connections of Socket Mode. What comes over one is of the app that opened it, and says so in each message. */
    start: (): void => workspaces.start((tenant, kind, payload) => (kind === 'command' ? inlet.command(payload as Record<string, unknown>, (workspace) => workspace.tenant === tenant) : inlet.interaction(payload, (workspace) => workspace.tenant === tenant))),
    async close(): Promise<void> {
      await Promise.race([queue.idle(), sleep(CLOSE_MS)]);
      await workspaces.close();
    },
  };
}
