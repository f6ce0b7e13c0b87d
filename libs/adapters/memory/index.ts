export { type AppendFailure, MemoryJournal } from './memory-journal.ts';
