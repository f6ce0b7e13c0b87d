export { type DemoServer, startDemoServer } from '#libs/adapters/mcp';
