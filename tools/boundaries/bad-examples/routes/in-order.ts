import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { AccessGuard, Public, Roles } from '#libs/platform';

@Controller('one')
@Roles('auditor')
export class OneController {
  @Get()
  list(): string[] {
    return [];
  }
}

@Controller('two')
export class TwoController {
  @Get()
  @Public('orchestrators ask without credentials')
  alive(): string {
    return 'alive';
  }

  @Post()
  @UseGuards(AccessGuard)
  create(): void {}

  notARoute(): void {}
}

export function register(fastify: { post(path: string, handler: () => void): void }, cache: { get(key: string, fallback: string): void }): void {
  // access: the edge authenticates each message itself
  fastify.post('/mcp', () => undefined);
  cache.get('/mcp', 'nothing');
}
