import * as illegal from 'fast-check';

export const use = illegal;
