import * as illegal from '#libs/adapters/memory';

export const use = illegal;
