import * as illegal from '../broker/main.ts';

export const use = illegal;
