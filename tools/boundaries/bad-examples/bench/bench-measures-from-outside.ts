import * as illegal from '#libs/contracts';

export const use = illegal;
