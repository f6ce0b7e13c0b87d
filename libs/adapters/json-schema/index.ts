export { AjvArgumentValidator } from './ajv-argument-validator.ts';
