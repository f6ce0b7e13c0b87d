import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Role } from '#libs/contracts';

export const ROLES = 'holdfast:roles';
export const PUBLIC = 'holdfast:public';

/** Callers with any of these roles may use the route. */
export const Roles = (...roles: readonly [Role, ...Role[]]): MethodDecorator & ClassDecorator => SetMetadata(ROLES, roles);

/** Anybody may use the route, without credentials; the reason is for the reader of the code. */
export const Public = (reason: string): MethodDecorator & ClassDecorator => applyDecorators(SetMetadata(PUBLIC, reason));
