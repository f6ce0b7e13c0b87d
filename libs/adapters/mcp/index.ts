export { AesSessionSealer } from './aes-session-sealer.ts';
export { type DemoServer, startDemoServer } from './demo-server.ts';
export { type HttpUpstreamOptions, HttpUpstreams } from './http-upstreams.ts';
