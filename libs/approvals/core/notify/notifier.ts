import type { EventDraft } from '#libs/contracts';
import { type Clock, JobHopeless, JobPostponed, type Jobs, type NewJob, type RunningJob } from '#libs/ports';
import type { ApprovalStore, Notice, StoredApproval } from '../desk/approval-store.ts';
import { wakeAt } from '../desk/approval-desk.ts';
import { viewOf } from '../desk/approval-view.ts';
import type { Configurations } from '../desk/configurations.ts';
import type { Facts } from '../held/commands.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { DeliveryInDoubt, type Message, type MessageChannel } from './message-channel.ts';
import { deliveriesFor, type Delivery } from './plan.ts';

export const NOTIFICATIONS = 'notifications';
/** Somebody looks at an approval when something of it is due; what a lost job missed, a sweep finds. */
export const WAKE_UPS = 'wake-ups';
/** About an hour in all. */
const ATTEMPTS = 12;
const BACKOFF_MS = 2_000;
const PAGE = 200;
const MAX_PROBLEM = 300;

export interface NotifierDependencies {
  readonly store: ApprovalStore;
  readonly configurations: Configurations;
  readonly deliveries: DeliveryStore;
  readonly jobs: Jobs;
  readonly clock: Clock;
  /** The ways to tell people of a tenant. */
  readonly channels: (tenant: string) => readonly MessageChannel[];
  /** The page where a recipient decides. */
  readonly link: (tenant: string, approval: StoredApproval, delivery: Delivery) => Promise<string>;
  /** What outsiders may see of the arguments. */
  readonly summary: (tenant: string, approval: StoredApproval) => Promise<readonly string[]>;
}

/** Data of a job of {@link WAKE_UPS}. */
export interface Wake {
  readonly tenant: string;
  readonly approval: string;
}

interface Tell {
  readonly tenant: string;
  readonly approval: string;
  readonly delivery: Delivery;
}

/**
 * Tells people what happened to approvals. Each change left a notice with it, in its transaction; a notice becomes jobs, one for each
 * message and one for when somebody must look again, and is forgotten when these are stored. Whatever fails here, approvals go on
 * without it.
 */
export class Notifier {
  constructor(private readonly deps: NotifierDependencies) {}

  /** Turns what waits into jobs; how many notices there were. */
  async round(): Promise<number> {
    const notices = await this.deps.store.notices(PAGE);
    for (const notice of notices) {
      const jobs = await this.jobsFor(notice);
      if (jobs.length > 0) await this.deps.jobs.addAll(jobs);
      await this.deps.store.told(notice);
    }
    return notices.length;
  }

  /** One job of the queue {@link NOTIFICATIONS}. */
  async run(job: RunningJob): Promise<void> {
    const { tenant, approval, delivery } = job.data as Tell;
    if (job.name === 'update') return this.update(tenant, approval, delivery);
    const { deliveries } = this.deps;
    const begun = await deliveries.begin(tenant, approval, delivery);
    if (begun === 'over') return;
    const channel = this.channel(tenant, delivery);
    const message = channel?.reaches(delivery.recipient) ? await this.message(tenant, approval, delivery) : undefined;
    if (!channel || !message) return this.giveUp(job, 'this channel does not reach them');
    try {
      const found = begun === 'begun' ? await this.found(channel, message) : null;
      await deliveries.sent(tenant, approval, delivery, found ?? (await channel.send(message)));
    } catch (error) {
      await this.missed(job, error);
    }
  }

  private async missed(job: RunningJob, error: unknown): Promise<void> {
    const { tenant, approval, delivery } = job.data as Tell;
    if (error instanceof DeliveryInDoubt) return this.giveUp(job, error.message);
    if (error instanceof JobHopeless || (!(error instanceof JobPostponed) && job.attempt >= ATTEMPTS)) await this.giveUp(job, messageOf(error));
    else await this.deps.deliveries.notSent(tenant, approval, delivery);
    throw error;
  }

  /** What was begun before: it arrived, or it did not; where nobody can tell, it is not sent again. */
  private async found(channel: MessageChannel, message: Message): Promise<string | null> {
    const found = await channel.find?.(message);
    if (found === undefined) throw new DeliveryInDoubt('it was begun before, and nobody can tell whether it arrived');
    return found;
  }

  /** A message that was sent says how things stand now. */
  private async update(tenant: string, approval: string, delivery: Delivery): Promise<void> {
    const channel = this.channel(tenant, delivery);
    const sent = (await this.deps.deliveries.changeable(tenant, approval)).filter((one) => one.delivery.id === delivery.id);
    if (!channel?.update || sent.length === 0) return;
    const message = await this.message(tenant, approval, delivery);
    if (message) for (const { reference } of sent) await channel.update(reference, message);
  }

  private async jobsFor({ tenant, approval, events }: Notice): Promise<NewJob[]> {
    const stored = await this.deps.store.load(tenant, approval);
    if (!stored) return [];
    const { facts, emailOf } = await this.facts(tenant);
    const base = { queue: NOTIFICATIONS, attempts: ATTEMPTS, backoffMs: BACKOFF_MS };
    const at = wakeAt(stored);
    const wake: NewJob[] = at === null ? [] : [{ queue: WAKE_UPS, name: 'wake', id: `${approval} ${at}`, data: { tenant, approval } satisfies Wake, runAtMs: at, attempts: 3 }];
    const tell = deliveriesFor(events, stored, facts, emailOf).map((delivery): NewJob => ({ ...base, name: 'tell', id: short(`${approval} ${delivery.id}`), data: { tenant, approval, delivery } satisfies Tell }));
    const update = (await this.deps.deliveries.changeable(tenant, approval)).map(({ delivery }): NewJob => ({ ...base, name: 'update', id: short(`update ${approval} ${delivery.id}`), data: { tenant, approval, delivery } satisfies Tell }));
    return [...wake, ...tell, ...update];
  }

  private async message(tenant: string, approval: string, delivery: Delivery): Promise<Message | undefined> {
    const stored = await this.deps.store.load(tenant, approval);
    if (!stored) return undefined;
    const { facts } = await this.facts(tenant);
    const { kind, recipient, step } = delivery;
    return {
      id: `${approval} ${delivery.id}`,
      tenant,
      kind,
      recipient,
      view: viewOf(stored, facts.directory),
      step,
      summary: await this.deps.summary(tenant, stored),
      link: await this.deps.link(tenant, stored, delivery),
    };
  }

  /** The approval is none the worse for it; the log says who was not told. */
  private async giveUp(job: RunningJob, problem: string): Promise<void> {
    const { tenant, approval, delivery } = job.data as Tell;
    const stored = await this.deps.store.load(tenant, approval);
    const recipient = delivery.recipient.kind === 'room' ? null : delivery.recipient.user;
    const channel = delivery.recipient.kind === 'room' ? `${delivery.channel}:${delivery.recipient.name}` : delivery.channel;
    const event: EventDraft = {
      type: 'notification.failed',
      tenant,
      actor: { via: 'system' },
      corr: stored?.state.call ?? approval,
      links: { approval, ...(stored ? { call: stored.state.call } : {}) },
      data: { at: this.deps.clock.now(), channel, kind: delivery.kind, recipient, attempts: job.attempt, problem: problem.slice(0, MAX_PROBLEM) },
    };
    await this.deps.deliveries.failed(tenant, approval, delivery, event);
  }

  private channel(tenant: string, { channel }: Delivery): MessageChannel | undefined {
    return this.deps.channels(tenant).find(({ name }) => name === channel);
  }

  private facts(tenant: string): Promise<{ readonly facts: Facts; readonly emailOf: (user: string) => string | null }> {
    const { configurations, store, clock } = this.deps;
    return configurations.deciding(async () => {
      const moment = await store.moment(tenant);
      const { users } = configurations.at(moment).identity;
      return {
        facts: { now: clock.now(), directory: configurations.directory(tenant, moment) },
        emailOf: (user) => users.find((one) => one.tenant === tenant && one.id === user)?.email ?? null,
      };
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ids of jobs are printable ASCII and not longer than this. */
function short(text: string): string {
  return text.replaceAll(/[^ -~]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`).slice(0, 200);
}
