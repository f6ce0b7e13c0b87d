import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Refusal } from '#libs/contracts';
import type { Authenticator, Clock, EndedSessions, Principal } from '#libs/ports';

/** A person at a browser. */
export interface Session {
  readonly id: string;
  readonly principal: Principal;
  /** Stands in every form of this session, and in no other. */
  readonly formToken: string;
  readonly expiresAt: number;
}

export interface ConsoleSessionsDependencies {
  /** Encrypts and authenticates; null for what it did not make. */
  readonly box: { seal(text: string): string; open(sealed: string): string | null };
  readonly authenticator: Authenticator;
  readonly ended: EndedSessions;
  readonly clock: Pick<Clock, 'now'>;
}

interface Contents {
  readonly id: string;
  /** SHA-256 of the token that opened it. The token itself is kept nowhere. */
  readonly key: string;
  readonly form: string;
  readonly until: number;
}

const COOKIE = 'holdfast_session';
const LASTS_MS = 12 * 3_600_000;
const LONGEST_COOKIE = 4_096;

/**
 * Sessions in a sealed cookie, bound to the credential they were opened with. That credential is asked about again on each request, so
 * what ends it ends the session at once.
 */
export class ConsoleSessions {
  constructor(private readonly deps: ConsoleSessionsDependencies) {}

  /** Opens a session for a token; the header sets its cookie. Throws a Refusal when the token is nobody's, or an agent's. */
  signIn(token: string, secure: boolean): { readonly session: Session; readonly cookie: string } {
    const principal = this.deps.authenticator.authenticate(`Bearer ${token}`);
    if (principal.agent !== undefined || principal.roles.every((role) => role === 'agent')) throw new Refusal('forbidden', 'This is the token of an agent; the console is for people.', { key: principal.key });
    const contents: Contents = {
      id: randomUUID(),
      key: createHash('sha256').update(token).digest('hex'),
      form: randomBytes(32).toString('base64url'),
      until: this.deps.clock.now() + LASTS_MS,
    };
    return { session: sessionOf(contents, principal), cookie: `${COOKIE}=${this.deps.box.seal(JSON.stringify(contents))}; Path=/; Max-Age=${LASTS_MS / 1000}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}` };
  }

  /** The session of a Cookie header; null when there is none in it, throws a Refusal when it is over. */
  async current(header: string | undefined): Promise<Session | null> {
    const value = cookieOf(header);
    if (value === undefined) return null;
    const text = this.deps.box.open(value);
    if (text === null) throw new Refusal('session_ended');
    const contents = JSON.parse(text) as Contents;
    if (this.deps.clock.now() >= contents.until || (await this.deps.ended.isEnded(contents.id))) throw new Refusal('session_ended');
    let principal: Principal;
    try {
      principal = this.deps.authenticator.recognise(contents.key);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal('session_ended');
      throw error;
    }
    return sessionOf(contents, principal);
  }

  /** Ends it for every copy of the cookie; the header removes this one. */
  async signOut({ id, expiresAt }: Session): Promise<string> {
    await this.deps.ended.end(id, expiresAt);
    return `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;
  }
}

export function isFormToken(session: Session, given: unknown): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(session.formToken)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function sessionOf({ id, form, until }: Contents, principal: Principal): Session {
  return { id, principal, formToken: form, expiresAt: until };
}

/** More than one of the name means that somebody else put one there. */
function cookieOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 4 * LONGEST_COOKIE) return undefined;
  const values = header.split(';').flatMap((part) => {
    const [name, value] = part.trim().split('=', 2);
    return name === COOKIE && value !== undefined && value !== '' ? [value] : [];
  });
  return values.length === 1 && values[0]!.length <= LONGEST_COOKIE ? values[0] : undefined;
}
