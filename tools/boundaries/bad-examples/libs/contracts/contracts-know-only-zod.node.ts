import { createHash } from 'node:crypto';

export const use = createHash;
