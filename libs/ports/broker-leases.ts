/** Which brokers live. A broker that lost its lease refuses every call; its open calls get an unknown outcome. */
export interface BrokerLeases {
  start(instance: string, ttlMs: number): Promise<void>;
  /**
   * A renewal counts also when it comes late, unless the broker was declared lost meanwhile: then `held` is false and the broker must
   * stop for good. `revision` is the configuration in force, `brokers` how many hold a lease.
   */
  renew(instance: string, ttlMs: number): Promise<{ readonly held: boolean; readonly revision: number; readonly brokers: number }>;
  /** The broker stopped in order; nothing of it is open. */
  end(instance: string): Promise<void>;
  /** Declares every broker lost whose lease has run out. Only for a caller who would have heard of a renewal. */
  declareLost(): Promise<void>;
  /** Brokers that were declared lost and whose calls nobody has settled yet. */
  lost(): Promise<readonly string[]>;
  settled(instance: string): Promise<void>;
  /** Whether nothing more will come from this broker: it ended in order, or was lost and settled. */
  over(instance: string): Promise<boolean>;
  /** Declares every broker lost at once: for a start that knows that no other broker can be running. */
  revokeAll(): Promise<void>;
}
export const BrokerLeases = Symbol('BrokerLeases');
