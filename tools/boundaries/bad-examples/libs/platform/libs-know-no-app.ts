import * as illegal from '../../apps/broker/main.ts';

export const use = illegal;
