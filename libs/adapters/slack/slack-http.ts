import { createHmac } from 'node:crypto';
import type { FetchFunction, WebClientOptions } from '@slack/web-api';
import { Agent, fetch } from 'undici';
import type { HmacHex } from '#libs/approvals/core';

/** Of one request to Slack, from asking to the end of the answer. */
const REQUEST_MS = 10_000;
const CONNECT_MS = 5_000;
const CONNECTIONS = 16;
const MOST_BYTES = 8 << 20;

/** Says nothing: what goes wrong is told by whoever asked, and Slack's own words may hold what people wrote. */
export const silentLogger = {
  debug: (): void => undefined,
  info: (): void => undefined,
  warn: (): void => undefined,
  error: (): void => undefined,
  setLevel: (): void => undefined,
  getLevel: (): never => 'error' as never,
  setName: (): void => undefined,
};

/** Connections to Slack, apart from those to anything else, with bounds on time and size. */
export class SlackHttp {
  private readonly agent = new Agent({ connections: CONNECTIONS, connect: { timeout: CONNECT_MS }, headersTimeout: REQUEST_MS, bodyTimeout: REQUEST_MS, maxResponseSize: MOST_BYTES });

  /** For the official clients: nothing is tried again by them, because jobs do that. */
  options(apiUrl: string | undefined): Omit<WebClientOptions, 'logger' | 'logLevel'> {
    const own = ((url: string | URL, init?: object) => fetch(url, { ...init, dispatcher: this.agent })) as unknown as FetchFunction;
    return {
      fetch: own,
      timeout: REQUEST_MS,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      maxRequestConcurrency: CONNECTIONS,
      allowAbsoluteUrls: false,
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

export const hmacHex: HmacHex = (secret, parts) => {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
};
