import * as illegal from 'bullmq';

export const use = illegal;
