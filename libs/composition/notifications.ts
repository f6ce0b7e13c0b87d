import { BullmqJobs } from '#libs/adapters/bullmq';
import { EmailChannel } from '#libs/adapters/email';
import { type MessageChannel, Notifier, type NotifierDependencies, type ReviewLinks, Safe, summaryOf } from '#libs/approvals/core';
import type { HoldfastConfig } from '#libs/contracts';
import type { Sealer } from '#libs/ports';
import { type Log, resolveSecret, type SecretSources } from '#libs/platform';

export interface NotificationOptions {
  readonly config: HoldfastConfig;
  readonly secrets: SecretSources;
  readonly databaseUrl: string;
  readonly log: Log;
  /** Where this process is reached, unless the configuration says where people reach it. */
  readonly url: () => string;
  readonly desk: Omit<NotifierDependencies, 'jobs' | 'channels' | 'link' | 'summary'> & { readonly sealer: Sealer };
  readonly reviewLinks: ReviewLinks;
  /** Channels that are made elsewhere. */
  readonly others: () => readonly MessageChannel[];
}

/** A worker that stood still for so long may have died; its job is run by another one. */
const TAKE_OVER_MS = 10_000;

/** How people hear of approvals: jobs, the channels that are configured, and who fills them. */
export function composeNotifications({ config, secrets, databaseUrl, log, url, desk, reviewLinks, others }: NotificationOptions) {
  const jobs = BullmqJobs.onPostgres({
    url: databaseUrl,
    takeOverAfterMs: TAKE_OVER_MS,
    onTrouble: ({ error, job }) => log.warn({ err: error, job }, job?.dead ? 'a job failed for good' : 'trouble with jobs; they are tried again'),
  });
  const channels = channelsOf(config, secrets);
  const safe = new Safe(desk.sealer);
  const notifier = new Notifier({
    ...desk,
    jobs,
    channels: () => [...channels, ...others()],
    link: async (tenant, { state }, { channel, recipient, step }) => {
      const own = channel === 'email' && recipient.kind === 'person';
      return (config.notify.publicUrl ?? url()) + (own ? await reviewLinks.make(tenant, state.id, step, recipient.user) : `/console/approvals/${state.id}`);
    },
    summary: async (tenant, { sealed, state }) => summaryOf(state.edits.length > 0 ? ((await safe.open(tenant, sealed, '/edited')) as Record<string, unknown> | null) : (await safe.open(tenant, sealed, '/request'))?.args),
  });
  return { jobs, notifier, close: () => channels.forEach((channel) => channel.close()) };
}

function channelsOf({ notify: { smtp } }: HoldfastConfig, secrets: SecretSources): readonly (MessageChannel & { close(): void })[] {
  if (!smtp) return [];
  const { host, port, secure, requireTls, user, password, from } = smtp;
  return [new EmailChannel({ host, port, secure, requireTls, from, ...(user === undefined || password === undefined ? {} : { login: { user, password: () => resolveSecret(password, secrets) } }) })];
}
