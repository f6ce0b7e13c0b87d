export const borrowed = true;
