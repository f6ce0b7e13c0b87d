/** Which brokers live. A broker that lost its lease refuses every call; its open calls get an unknown outcome. */
export interface BrokerLeases {
  start(instance: string, ttlMs: number): Promise<void>;
  /** False when the lease ran out or was taken away: the broker must stop for good. `revision` is the configuration in force. */
  renew(instance: string, ttlMs: number): Promise<{ readonly held: boolean; readonly revision: number }>;
  /** The broker stopped in order; nothing of it is open. */
  end(instance: string): Promise<void>;
  /** Brokers whose lease ran out and whose calls nobody has settled yet; they can no longer renew. */
  lost(): Promise<readonly string[]>;
  settled(instance: string): Promise<void>;
  /** Takes every lease away at once: for a start that knows that no other broker can be running. */
  revokeAll(): Promise<void>;
}
export const BrokerLeases = Symbol('BrokerLeases');
