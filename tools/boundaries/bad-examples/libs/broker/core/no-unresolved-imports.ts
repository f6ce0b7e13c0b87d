import * as illegal from './not-there.ts';

export const use = illegal;
