import * as illegal from 'pino';

export const use = illegal;
