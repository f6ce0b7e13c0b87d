import { setTimeout as sleep } from 'node:timers/promises';
import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server';

const STEP_MS = 50;
const RECONNECTION_MS = 200;

const done = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });

/** Tools that say something before they answer: progress, log messages, or a stream that closes under the caller. */
export function addConversationTools(server: McpServer): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs three messages while it runs.' }, async (context) => {
    await log(context, 'Tool execution started');
    await sleep(STEP_MS);
    await log(context, 'Tool processing data');
    await sleep(STEP_MS);
    await log(context, 'Tool execution completed');
    return done('Tool with logging executed successfully');
  });

  server.registerTool('test_logging_tool', { description: 'Logs one message, which only those hear who asked for it.' }, async (context) => {
    await log(context, 'Only for those who asked');
    return done('Logged');
  });

  server.registerTool('test_tool_with_progress', { description: 'Reports progress three times when it was asked to.' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken === undefined) break;
      await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` } });
      await sleep(STEP_MS);
    }
    return done(String(progressToken));
  });

  server.registerTool('test_reconnection', { description: 'Closes the stream of its call and answers on the one that the caller opens next.' }, async (context) => {
    await sleep(STEP_MS);
    context.http?.closeSSE?.();
    await sleep(RECONNECTION_MS);
    return done('Reconnected');
  });
}

function log(context: ServerContext, data: string): Promise<void> {
  // oxlint-disable-next-line typescript/no-deprecated -- the suite asks for it, and clients will send it for years
  return context.mcpReq.log('info', data);
}
