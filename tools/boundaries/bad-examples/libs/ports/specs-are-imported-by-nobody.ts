import * as illegal from './ports.spec.ts';

export const use = illegal;
