export { commitment } from './commitment.ts';
export { EventTooLarge, encodeEvent } from './event-bytes.ts';
export { base64url, sha256 } from './sha256.ts';
export { buildEvent, FIRST_POSITION, type EventStamp, type ProducerPosition } from './producer/build-event.ts';
export { JournalRecorder, type RecorderDependencies } from './producer/recorder.ts';
