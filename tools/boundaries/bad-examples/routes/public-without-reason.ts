import { Controller, Get } from '@nestjs/common';
import { Public } from '#libs/platform';

@Controller('things')
@Public('') // line 5: and so line 7 says nothing either
export class ThingsController {
  @Get()
  list(): string[] {
    return [];
  }
}
