import * as illegal from 'typeorm';

export const use = illegal;
