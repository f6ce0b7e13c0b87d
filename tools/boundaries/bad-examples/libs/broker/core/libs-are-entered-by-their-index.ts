import * as illegal from '../../contracts/errors.ts';

export const use = illegal;
