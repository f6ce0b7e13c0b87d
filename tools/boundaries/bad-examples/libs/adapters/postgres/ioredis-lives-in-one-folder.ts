import * as illegal from 'ioredis';

export const use = illegal;
