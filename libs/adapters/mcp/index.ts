export { AesSessionSealer } from './aes-session-sealer.ts';
export { type DemoServer, startDemoServer } from './demo-server.ts';
export { type McpUpstreamOptions, McpUpstreams } from './mcp-upstreams.ts';
