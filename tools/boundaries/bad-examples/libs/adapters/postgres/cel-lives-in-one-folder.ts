import * as illegal from '@marcbachmann/cel-js';

export const use = illegal;
