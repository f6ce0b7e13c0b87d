import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Refusal, type Role } from '#libs/contracts';
import { Authenticator, DeniedAccess, type Principal } from '#libs/ports';
import { PUBLIC, ROLES } from './access.ts';

interface RequestWithPrincipal {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ip?: string;
  principal?: Principal;
}

/** Guards every route of the API: a route without a word about access refuses everybody. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(DeniedAccess) private readonly denied: DeniedAccess,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<string | undefined>(PUBLIC, targets) !== undefined) return true;
    const request = context.switchToHttp().getRequest<RequestWithPrincipal>();
    const header = request.headers['authorization'];
    let principal: Principal;
    try {
      principal = this.authenticator.authenticate(typeof header === 'string' ? header : undefined);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.denied.note(error, request.ip, 'api');
      // Which key it was is for the log, not for whoever holds it.
      throw new Refusal(error.code, error.detail);
    }
    const roles = this.reflector.getAllAndOverride<readonly Role[] | undefined>(ROLES, targets) ?? [];
    if (!roles.some((role) => principal.roles.includes(role))) throw new Refusal('forbidden', `this needs the role ${roles.join(' or ') || 'of nobody'}`);
    request.principal = principal;
    return true;
  }
}

/** The authenticated caller, as a handler's parameter. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<RequestWithPrincipal>();
  if (!principal) throw new Refusal('unauthenticated');
  return principal;
});
