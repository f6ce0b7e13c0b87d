import { use } from './no-cycles.ts';

export const partner = (): unknown => use;
