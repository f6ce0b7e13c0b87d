import * as illegal from '#libs/broker/core';

export const use = illegal;
