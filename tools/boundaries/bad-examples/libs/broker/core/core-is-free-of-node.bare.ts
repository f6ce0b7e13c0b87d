import * as illegal from 'fs';

export const use = illegal;
