import { BullmqJobs } from '#libs/adapters/bullmq';
import { EmailChannel } from '#libs/adapters/email';
import { type MessageChannel, Notifier, type NotifierDependencies, type StoredApproval } from '#libs/approvals/core';
import type { HoldfastConfig } from '#libs/contracts';
import { type Log, resolveSecret, type SecretSources } from '#libs/platform';

export interface NotificationOptions {
  readonly config: HoldfastConfig;
  readonly secrets: SecretSources;
  readonly databaseUrl: string;
  readonly log: Log;
  /** Where this process is reached, unless the configuration says where people reach it. */
  readonly url: () => string;
  readonly desk: Omit<NotifierDependencies, 'jobs' | 'channels' | 'link' | 'summary'>;
}

/** How people hear of approvals: jobs, the channels that are configured, and who fills them. */
export function composeNotifications({ config, secrets, databaseUrl, log, url, desk }: NotificationOptions) {
  const jobs = BullmqJobs.onPostgres({
    url: databaseUrl,
    onTrouble: ({ error, job }) => log.warn({ err: error, job }, job?.dead ? 'a job failed for good' : 'trouble with jobs; they are tried again'),
  });
  const channels = channelsOf(config, secrets);
  const notifier = new Notifier({
    ...desk,
    jobs,
    channels: () => channels,
    link: (_tenant, { state }) => Promise.resolve(`${config.notify.publicUrl ?? url()}/console/approvals/${state.id}`),
    summary: (_tenant, stored) => Promise.resolve(summaryOf(stored)),
  });
  return { jobs, notifier, close: () => channels.forEach((channel) => channel.close()) };
}

function channelsOf({ notify: { smtp } }: HoldfastConfig, secrets: SecretSources): readonly (MessageChannel & { close(): void })[] {
  if (!smtp) return [];
  const { host, port, secure, requireTls, user, password, from } = smtp;
  return [new EmailChannel({ host, port, secure, requireTls, from, ...(user === undefined || password === undefined ? {} : { login: { user, password: () => resolveSecret(password, secrets) } }) })];
}

/** Which arguments, and never what they are: mails lie in many places. */
function summaryOf({ state }: StoredApproval): readonly string[] {
  return state.args.absent ? ['none'] : [];
}
