import { Controller, Get, Post } from '@nestjs/common';
import { Roles } from '#libs/platform';

@Controller('things')
export class ThingsController {
  @Get()
  @Roles('auditor')
  list(): string[] {
    return [];
  }

  @Post() // line 12: nothing about access
  create(): void {}
}
