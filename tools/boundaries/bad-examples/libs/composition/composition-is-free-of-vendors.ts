import * as illegal from '@nestjs/common';

export const use = illegal;
