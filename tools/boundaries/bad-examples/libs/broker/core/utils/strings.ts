export const drawer = true;
