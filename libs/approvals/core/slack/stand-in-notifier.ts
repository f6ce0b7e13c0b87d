import { type Clock, JobHopeless } from '#libs/ports';
import type { Configurations } from '../desk/configurations.ts';
import type { ApprovalStore, Notice } from '../desk/approval-store.ts';
import { type ApprovalView, viewOf } from '../desk/approval-view.ts';
import type { Message, MessageChannel, MessageKind, Recipient } from '../notify/message-channel.ts';

export interface StandInNotifierDependencies {
  readonly store: Pick<ApprovalStore, 'notices' | 'told' | 'load' | 'moment'>;
  readonly configurations: Configurations;
  readonly channel: MessageChannel;
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly pageOf: (tenant: string, approval: string) => string;
  readonly onHopeless: (error: unknown, message: Message) => void;
}

interface Sent {
  readonly message: Message;
  readonly reference: string;
}

const NOTICES = 100;
const APPROVALS = 1_000;

/**
 * Tells Slack of approvals while nothing else does: one message for each step in each room, one for each further person, all of them kept
 * up to date. It stands in for the notifier, remembers what it sent in memory only, and goes when the notifier is there.
 */
export class StandInNotifier {
  private readonly sent = new Map<string, Sent[]>();

  constructor(private readonly deps: StandInNotifierDependencies) {}

  async round(): Promise<void> {
    for (const notice of await this.deps.store.notices(NOTICES)) {
      await this.tell(notice);
      await this.deps.store.told(notice);
    }
  }

  private async tell({ tenant, approval, events }: Notice): Promise<void> {
    const { store, configurations } = this.deps;
    const stored = await store.load(tenant, approval);
    if (!stored) return;
    const view = await configurations.deciding(async () => viewOf(stored, configurations.directory(tenant, await store.moment(tenant))));
    for (const { message, reference } of this.sent.get(approval) ?? []) await this.attempt({ ...message, view }, (now) => this.deps.channel.update?.(reference, now));
    const rooms = view.channels.filter((channel) => channel.startsWith('slack:')).map((channel): Recipient => ({ kind: 'room', name: channel.slice('slack:'.length) }));
    if (events.includes('approval.step_opened') && view.status === 'held') for (const room of rooms) await this.ask(tenant, 'asked', room, view);
    if (events.includes('approval.escalated') && rooms.length > 0) for (const user of view.steps[view.step]!.people) await this.ask(tenant, 'escalated', { kind: 'person', user, email: null }, view);
  }

  private async ask(tenant: string, kind: MessageKind, recipient: Recipient, view: ApprovalView): Promise<void> {
    const message: Message = { id: this.deps.uuid(), tenant, kind, recipient, view, step: view.step, summary: [], link: this.deps.pageOf(tenant, view.id) };
    await this.attempt(message, async () => {
      const reference = await this.deps.channel.send(message);
      if (reference === null) return;
      if (this.sent.size >= APPROVALS) this.sent.clear();
      this.sent.set(view.id, [...(this.sent.get(view.id) ?? []), { message, reference }]);
    });
  }

  /** What is hopeless is passed over; everything else ends the round, and the next one begins where this one was. */
  private async attempt(message: Message, work: (message: Message) => Promise<void> | undefined): Promise<void> {
    try {
      await work(message);
    } catch (error) {
      if (!(error instanceof JobHopeless)) throw error;
      this.deps.onHopeless(error, message);
    }
  }
}
