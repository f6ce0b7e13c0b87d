import { randomBytes } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';

/** Where a conversation of several rounds stands. The client carries it, so it is signed. */
export interface RequestState {
  readonly round: number;
  readonly name?: string;
}

/** One key for the process: every instance of the server must be able to read what another one has signed. */
export const requestStates = createRequestStateCodec<RequestState>({ key: randomBytes(32) });
