import * as illegal from '#libs/nothing';

export const use = illegal;
