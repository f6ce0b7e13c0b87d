import * as illegal from 'pg';

export const use = illegal;
