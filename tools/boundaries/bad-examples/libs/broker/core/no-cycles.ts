import { partner } from './cycle-partner.ts';

export const use = (): unknown => partner;
