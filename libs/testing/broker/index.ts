export { MemoryRecorder, type RecorderFailure } from './memory-recorder.ts';
export { MemoryUpstreams, tool } from './memory-upstreams.ts';
export { ada, type CallResult, codeOf, config, server, SpecBroker, specConditions, specValidator } from './spec-broker.ts';
export { specClock, specDigest, specIds, specSha256 } from './spec-ports.ts';
