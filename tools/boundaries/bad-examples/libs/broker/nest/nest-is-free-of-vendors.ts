import * as illegal from 'canonicalize';

export const use = illegal;
