import * as illegal from 'undici';

export const use = illegal;
