import * as illegal from '#libs/ports';

export const use = illegal;
