import * as illegal from '@slack/web-api';

export const use = illegal;
