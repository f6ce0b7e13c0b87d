import { Refusal } from '#libs/contracts';
import { DeniedAuthentications } from '#libs/broker/core';
import type { Authenticator, Clock, DeniedAccess, Ids, Principal, Recorder } from '#libs/ports';

export interface GateOptions {
  readonly authenticator: Authenticator;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Lets authenticated agents through and sees to it that every failure gets into the system log, alone or counted. */
export class AuthenticationGate implements DeniedAccess {
  private readonly denied = new DeniedAuthentications();

  constructor(private readonly options: GateOptions) {}

  /** A refusal instead of a principal is already on its way into the log; nobody waits for it. */
  admit(authorization: string | undefined, ip: string | undefined, endpoint: string): Principal | Refusal {
    try {
      const principal = this.options.authenticator.authenticate(authorization);
      if (principal.roles.includes('agent')) return principal;
      return this.refuse(new Refusal('forbidden', 'Calling tools needs the role agent.'), ip, endpoint, principal.key);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.note(error, ip, endpoint);
      return error;
    }
  }

  note(refusal: Refusal, ip: string | undefined, endpoint: string): void {
    const key = refusal.extra?.['key'];
    this.refuse(refusal, ip, endpoint, typeof key === 'string' ? key : undefined);
  }

  /** Records the summaries that are due, or all of them. */
  tell(everything: boolean): void {
    const { clock, ids } = this.options;
    for (const event of this.denied.due(clock.now(), () => ids.uuid(), everything)) this.record(event);
  }

  private refuse(refusal: Refusal, ip: string | undefined, endpoint: string, key: string | undefined): Refusal {
    const { clock, ids } = this.options;
    const event = this.denied.note({ code: refusal.code, endpoint, ip, key }, clock.now(), ids.uuid());
    if (event) this.record(event);
    return refusal;
  }

  private record(event: Parameters<Recorder['record']>[0][number]): void {
    // Only a refusal means that the event was not taken; it is then counted into the next one.
    this.options.recorder.record([event]).catch(() => this.denied.untold(event));
  }
}
