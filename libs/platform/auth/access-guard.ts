import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Refusal, type Role } from '#libs/contracts';
import { Authenticator, DeniedAccess, type Principal } from '#libs/ports';
import { PUBLIC, ROLES } from './access.ts';
import { ConsoleSessions, isFormToken } from './console-sessions.ts';
import { isSameOrigin } from './same-origin.ts';

interface RequestWithPrincipal {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ip?: string;
  principal?: Principal;
  recheck?: Recheck;
}

/** Who the credential of a request stands for now; throws a Refusal when for nobody any more. For what outlives its request's start. */
export type Recheck = () => Promise<Principal>;

/** Guards every route of the API: a route without a word about access refuses everybody. A bearer token counts, or else the session of the console. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(DeniedAccess) private readonly denied: DeniedAccess,
    @Optional() @Inject(ConsoleSessions) private readonly sessions?: ConsoleSessions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<string | undefined>(PUBLIC, targets) !== undefined) return true;
    const request = context.switchToHttp().getRequest<RequestWithPrincipal>();
    const recheck = this.credentialOf(request);
    let principal: Principal;
    try {
      principal = await recheck();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.denied.note(error, request.ip, 'api');
      // Which key it was is for the log, not for whoever holds it.
      throw new Refusal(error.code, error.detail);
    }
    const roles = this.reflector.getAllAndOverride<readonly Role[] | undefined>(ROLES, targets) ?? [];
    if (!roles.some((role) => principal.roles.includes(role))) throw new Refusal('forbidden', `this needs the role ${roles.join(' or ') || 'of nobody'}`);
    request.principal = principal;
    request.recheck = recheck;
    return true;
  }

  private credentialOf({ method, headers }: RequestWithPrincipal): Recheck {
    const { authorization, cookie } = headers;
    const { sessions } = this;
    if (authorization === undefined && typeof cookie === 'string' && sessions) {
      return async () => {
        const session = await sessions.current(cookie);
        if (!session) throw new Refusal('unauthenticated');
        // Browsers send cookies with everything; what changes something must come from a page of the session.
        if (method !== 'GET' && method !== 'HEAD' && !(isSameOrigin(headers) && isFormToken(session, headers['x-holdfast-form']))) throw new Refusal('form_invalid');
        return session.principal;
      };
    }
    return () => Promise.resolve().then(() => this.authenticator.authenticate(typeof authorization === 'string' ? authorization : undefined));
  }
}

/** The authenticated caller, as a handler's parameter. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<RequestWithPrincipal>();
  if (!principal) throw new Refusal('unauthenticated');
  return principal;
});

/** Asks about the caller's credential again, as a handler's parameter. */
export const CurrentCredential = createParamDecorator((_: unknown, context: ExecutionContext): Recheck => {
  const { recheck } = context.switchToHttp().getRequest<RequestWithPrincipal>();
  if (!recheck) throw new Refusal('unauthenticated');
  return recheck;
});
