import { Inject, Injectable } from '@nestjs/common';
import { Refusal } from '#libs/contracts';
import { ConsoleSessions, isFormToken, isSameOrigin, type Session } from '#libs/platform';

export interface PageRequest {
  readonly ip?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Who is at a page, and whether a form is theirs. */
@Injectable()
export class PageSessions {
  constructor(@Inject(ConsoleSessions) readonly sessions: ConsoleSessions) {}

  /** Null when nobody is signed in, or not any more. */
  async reader({ headers }: PageRequest): Promise<Session | null> {
    const { cookie } = headers;
    try {
      return await this.sessions.current(typeof cookie === 'string' ? cookie : undefined);
    } catch (error) {
      if (error instanceof Refusal) return null;
      throw error;
    }
  }

  assertSameOrigin({ headers }: PageRequest): void {
    if (!isSameOrigin(headers)) throw new Refusal('origin_denied', 'This was not sent by a page of this Holdfast. Open the page here, over https or on this machine, and try again.');
  }

  /** Who sent a form of the own session from a page of this host; throws a Refusal for everything else. */
  async sender(request: PageRequest, formToken: string): Promise<Session> {
    this.assertSameOrigin(request);
    const session = await this.reader(request);
    if (!session) throw new Refusal('session_ended');
    if (!isFormToken(session, formToken)) throw new Refusal('form_invalid');
    return session;
  }
}

export function whoOf({ principal, formToken }: Session): { readonly user: string; readonly tenant: string; readonly form: string } {
  return { user: principal.user, tenant: principal.tenant, form: formToken };
}
