import * as illegal from '#libs/audit/core';

export const use = illegal;
