export { FileSpool } from './file-spool.ts';
