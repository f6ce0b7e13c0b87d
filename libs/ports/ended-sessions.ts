/** Console sessions that ended before their time; remembered until they would have ended anyway. */
export interface EndedSessions {
  end(id: string, untilMs: number): Promise<void>;
  isEnded(id: string): Promise<boolean>;
  /** Forgets those whose time is over; how many. */
  sweep(limit: number): Promise<number>;
}
export const EndedSessions = Symbol('EndedSessions');
