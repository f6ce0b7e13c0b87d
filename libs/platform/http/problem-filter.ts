import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { errorCatalogue, type ErrorCode, Refusal } from '#libs/contracts';
import { Log } from '../logging/log.ts';

interface Reply {
  readonly sent: boolean;
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): Reply;
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = { 400: 'request_invalid', 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 405: 'method_not_allowed', 413: 'body_too_large', 415: 'unsupported_media_type' };

/** Every error of the HTTP API as RFC 9457 problem details with a stable code; faults are logged and say nothing of themselves. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(Log) private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>();
    const refusal = toRefusal(error);
    if (refusal.code === 'internal') this.log.error({ err: error }, 'request failed');
    if (reply.sent) return;
    if (refusal.entry.http === 401) reply.header('www-authenticate', 'Bearer');
    sendProblem(reply, refusal);
  }
}

function sendProblem(reply: Reply, { entry, code, detail, extra }: Refusal): void {
  reply.status(entry.http).header('content-type', 'application/problem+json').send({
    type: `urn:holdfast:error:${code}`,
    title: entry.sentence,
    status: entry.http,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...extra,
  });
}

/** What the framework turns away before any route: a path that is no path. Its own answer would repeat the path and have no code of ours. */
export function refuseBadPath(_error: unknown, _request: unknown, reply: Reply): void {
  sendProblem(reply, new Refusal('not_found'));
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number } | null)?.statusCode;
  const code = status === undefined ? undefined : BY_STATUS[status];
  return code ? new Refusal(code, errorCatalogue[code].sentence) : new Refusal('internal');
}
