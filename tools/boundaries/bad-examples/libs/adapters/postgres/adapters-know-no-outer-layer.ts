import * as illegal from '#libs/platform';

export const use = illegal;
