export { AesSealer } from './aes-sealer.ts';
export { KeyHierarchy } from './key-hierarchy.ts';
