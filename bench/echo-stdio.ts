import { EchoTool, eraOf, parseMessage } from './echo-tool.ts';
import { Lines } from './lines.ts';

/** The echo tool over stdio: one message per line in, one per line out, calls in parallel. It ends when whoever started it is gone. */
const MAX_LINE = 8 << 20;
const tool = new EchoTool(eraOf(process.argv));

const lines = new Lines(MAX_LINE, (line) => {
  const message = parseMessage(line);
  if (message?.id === undefined || message.method === undefined) return;
  void tool.answer(message).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
const end = (): void => process.exit(0);
process.stdout.on('error', end);
process.stdin
  .on('data', (chunk: Buffer) => lines.push(chunk))
  .on('end', end)
  .on('error', end);
