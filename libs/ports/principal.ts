import type { Refusal, Role } from '#libs/contracts';

/** Who calls: user, client and agent are three identities from verified credentials, never from headers or bodies. */
export interface Principal {
  readonly tenant: string;
  readonly user: string;
  readonly client: string;
  readonly agent?: string;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  /** Id of the credential, for the record. */
  readonly key: string;
  /** When present, the only servers this credential may reach. */
  readonly servers?: readonly string[];
}

/** Turns an Authorization header into a principal; throws a Refusal (unauthenticated, token_*) otherwise. */
export interface Authenticator {
  authenticate(authorization: string | undefined): Principal;
  /** Whom a token that was authenticated before stands for now, by its SHA-256 in hexadecimal; throws a Refusal when for nobody any more. */
  recognise(digest: string): Principal;
}
export const Authenticator = Symbol('Authenticator');

/** Told of every refused credential, so that it becomes an event; never throws and never waits. */
export interface DeniedAccess {
  note(refusal: Refusal, ip: string | undefined, endpoint: string): void;
}
export const DeniedAccess = Symbol('DeniedAccess');
