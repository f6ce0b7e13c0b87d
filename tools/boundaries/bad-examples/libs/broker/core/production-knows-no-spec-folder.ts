import * as illegal from './spec/builders.ts';

export const use = illegal;
