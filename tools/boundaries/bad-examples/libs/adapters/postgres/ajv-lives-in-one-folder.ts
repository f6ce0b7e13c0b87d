import * as illegal from 'ajv';

export const use = illegal;
