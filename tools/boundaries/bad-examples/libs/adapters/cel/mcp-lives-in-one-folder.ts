import * as illegal from '@modelcontextprotocol/server';

export const use = illegal;
