import * as illegal from './utils/strings.ts';

export const use = illegal;
