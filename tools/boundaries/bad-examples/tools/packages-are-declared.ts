import * as illegal from 'acorn';

export const use = illegal;
