import * as illegal from '../bench/load.ts';

export const use = illegal;
