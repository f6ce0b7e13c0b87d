import * as illegal from 'kafkajs';

export const use = illegal;
