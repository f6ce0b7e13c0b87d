import * as illegal from 'node:fs';

export const use = illegal;
