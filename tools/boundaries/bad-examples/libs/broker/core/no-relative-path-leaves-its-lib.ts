import * as illegal from '../../contracts/index.ts';

export const use = illegal;
