import * as illegal from '#libs/adapters/postgres';

export const use = illegal;
