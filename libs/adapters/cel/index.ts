export { CelConditions } from './cel-conditions.ts';
