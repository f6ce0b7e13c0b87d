export { type AppendFailure, MemoryJournal } from './memory-journal.ts';
export { MemoryKeyStore } from './memory-key-store.ts';
export { MemorySpool } from './memory-spool.ts';
export { MemoryApprovalStore } from './memory-approval-store.ts';
