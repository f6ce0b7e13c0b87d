import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { CurrentCredential, CurrentPrincipal, type Recheck, Roles } from '#libs/platform';
import type { Principal } from '#libs/ports';
import { LiveStreams, type RawStream } from './live-streams.ts';

interface Reply {
  readonly raw: RawStream;
  hijack(): unknown;
}

/** Changes of approvals as they happen, to whoever may list them. */
@Controller('api/v1/stream')
@Roles('approver', 'operator', 'auditor', 'admin', 'owner-of-server')
export class StreamController {
  constructor(@Inject(LiveStreams) private readonly streams: LiveStreams) {}

  @Get()
  stream(@CurrentPrincipal() principal: Principal, @CurrentCredential() recheck: Recheck, @Headers('last-event-id') lastEventId: string | undefined, @Res() reply: Reply): void {
    this.streams.admit(principal);
    reply.hijack();
    this.streams.start(reply.raw, principal, lastEventId, recheck);
  }
}
