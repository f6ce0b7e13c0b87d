import * as illegal from 'zod';

export const use = illegal;
