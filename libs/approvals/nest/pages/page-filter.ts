import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { errorCatalogue, Refusal } from '#libs/contracts';
import { Log } from '#libs/platform';
import { type PageReply, sendPage } from './page-reply.ts';
import { messagePage } from './sign-in-page.ts';

/** What goes wrong on a page is said on a page, in words. */
@Catch()
export class PageFilter implements ExceptionFilter {
  constructor(@Inject(Log) private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<PageReply>();
    const refusal = error instanceof Refusal ? error : error instanceof HttpException && error.getStatus() < 500 ? new Refusal('request_invalid') : new Refusal('internal');
    if (refusal.code === 'internal') this.log.error({ err: error }, 'a page failed');
    if (!reply.sent) sendPage(reply, refusal.entry.http, messagePage('That did not work', wordsOf(refusal)));
  }
}

/** A refusal as a page says it. */
export function wordsOf(refusal: Refusal): string {
  return refusal.detail ?? errorCatalogue[refusal.code].sentence;
}
