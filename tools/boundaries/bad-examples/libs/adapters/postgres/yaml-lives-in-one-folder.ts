import * as illegal from 'yaml';

export const use = illegal;
