import * as illegal from '../libs/contracts/errors.ts';

export const use = illegal;
