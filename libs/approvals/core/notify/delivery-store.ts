import type { EventDraft } from '#libs/contracts';
import type { Delivery } from './plan.ts';

/** A message that can be changed. */
export interface Sent {
  readonly delivery: Delivery;
  readonly reference: string;
}

/** What became of messages to people, so that nobody is told the same twice. */
export interface DeliveryStore {
  /**
   * Takes the right to send. `new`: nobody began before. `begun`: somebody did, and its end is not known. `over`: it was sent, or given
   * up for good.
   */
  begin(tenant: string, approval: string, delivery: Delivery): Promise<'new' | 'begun' | 'over'>;
  /** It arrived. */
  sent(tenant: string, approval: string, delivery: Delivery, reference: string | null): Promise<void>;
  /** Nothing arrived; whoever tries again begins anew. */
  notSent(tenant: string, approval: string, delivery: Delivery): Promise<void>;
  /** Nobody tries any more; `event` tells the log. */
  failed(tenant: string, approval: string, delivery: Delivery, event: EventDraft): Promise<void>;
  /** Messages about an approval that can be changed. */
  changeable(tenant: string, approval: string): Promise<readonly Sent[]>;
}
export const DeliveryStore = Symbol('DeliveryStore');
