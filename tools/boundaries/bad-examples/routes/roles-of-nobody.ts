import { Controller, Get } from '@nestjs/common';
import { Roles } from '#libs/platform';

@Controller('things')
export class ThingsController {
  @Get() // line 6
  @Roles()
  list(): string[] {
    return [];
  }
}
