import { createHash } from 'node:crypto';
import { type CallHandler, createParamDecorator, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, concatMap, from, type Observable, of, switchMap } from 'rxjs';
import { type ErrorCode, Refusal } from '#libs/contracts';
import { IdempotencyStore, type OnceRequest, type Principal } from '#libs/ports';

interface KeyedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly principal?: Principal;
  onceId?: string;
}

type Answer = { readonly body: unknown } | { readonly code: ErrorCode; readonly detail?: string };

const KEY = /^[\x21-\x7e]{1,200}$/;
/** A longer answer is not kept, and a repetition is worked on again; what it makes has the same id. */
const LONGEST_ANSWER = 256_000;

/**
 * `Idempotency-Key` on a POST: whoever sends the same again within a day gets the first answer. Refusals count as answers, but for
 * those that may become another answer by waiting.
 */
@Injectable()
export class Once implements NestInterceptor {
  constructor(@Inject(IdempotencyStore) private readonly store: IdempotencyStore) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<KeyedRequest>();
    const key = request.headers['idempotency-key'];
    const { principal } = request;
    if (request.method !== 'POST' || key === undefined || !principal) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) throw new Refusal('request_invalid', 'not valid: Idempotency-Key (1 to 200 visible ASCII characters)');
    const digest = createHash('sha256').update(JSON.stringify([request.url, request.body ?? null])).digest('base64url');
    const once: OnceRequest = { tenant: principal.tenant, person: agentOf(principal), key, digest };
    return from(this.store.begin(once)).pipe(
      switchMap((begun) => {
        switch (begun.kind) {
          case 'answered':
            return of(told(JSON.parse(begun.answer) as Answer));
          case 'other':
            throw new Refusal('idempotency_key_reused');
          case 'running':
            throw new Refusal('idempotency_in_progress');
          case 'full':
            throw new Refusal('overloaded', 'too many requests with an Idempotency-Key in one day');
          case 'begun':
            request.onceId = begun.id;
            return next.handle().pipe(
              concatMap(async (body: unknown) => {
                await this.keep(once, { body });
                return body;
              }),
              catchError(async (error: unknown) => {
                if (error instanceof Refusal && !error.entry.retry) await this.keep(once, { code: error.code, ...(error.detail === undefined ? {} : { detail: error.detail }) });
                else await this.store.forget(once);
                throw error;
              }),
            );
        }
      }),
    );
  }

  private async keep(once: OnceRequest, answer: Answer): Promise<void> {
    const text = JSON.stringify(answer);
    if (text.length <= LONGEST_ANSWER) await this.store.answered(once, text);
  }
}

function told(answer: Answer): unknown {
  if ('code' in answer) throw new Refusal(answer.code, answer.detail);
  return answer.body;
}

/** The id that what this request makes is to have, so that it is made once; undefined where nobody asked for that. */
export const OnceId = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => context.switchToHttp().getRequest<KeyedRequest>().onceId);

/** The key of an agent is not the person whose name it has: neither reads what the other was answered. */
function agentOf({ user, client, agent, roles }: Principal): string {
  const isPerson = agent === undefined && roles.some((role) => role !== 'agent');
  return isPerson ? user : `${user} ${client} ${agent ?? ''}`;
}
