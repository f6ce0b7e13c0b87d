import { randomUUID } from 'node:crypto';

export const builder = randomUUID;
