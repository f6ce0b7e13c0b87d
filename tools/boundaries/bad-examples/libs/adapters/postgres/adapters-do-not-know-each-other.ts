import * as illegal from '#libs/adapters/cel';

export const use = illegal;
