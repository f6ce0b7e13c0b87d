export const use = () => import('pg');
