export { Clock } from './clock.ts';
export { Ids, type Sha256 } from './ids.ts';
export { Journal, type JournalRecord, type JournalBatch, type JournalEntry, type FollowOptions, JournalRefusal } from './journal.ts';
export { Recorder, type RecordOptions, type Recorded, RecorderRefusal, RecorderTimeout } from './recorder.ts';
export { Sealer, type SealedValues, type OpenedValue } from './sealer.ts';
export { Spool } from './spool.ts';
