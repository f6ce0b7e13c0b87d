import * as illegal from '#libs/testing';

export const use = illegal;
