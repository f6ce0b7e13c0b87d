import { type UpstreamServer, UpstreamUnavailable } from '#libs/broker/core';
import { type Channel, type ChannelEvents, idOfCut, largestMessage } from './channel.ts';
import { Child } from './child.ts';
import { childEnvironment } from './child-environment.ts';
import type { ConnectionOptions } from './connection.ts';

type StdioTransport = Extract<UpstreamServer['transport'], { type: 'stdio' }>;

/** Starts a server as a child process: one message a line on its standard input and output. */
export async function openStdio(server: UpstreamServer, transport: StdioTransport, options: ConnectionOptions, events: ChannelEvents): Promise<Channel> {
  const env = childEnvironment(process.env, await configured(transport, options));
  const { command, args, cwd } = transport;
  let child: Child;
  try {
    child = new Child({ command, args, env, cwd }, largestMessage(server.limits.maxResultBytes), {
      line: (line) => events.message(line),
      tooLong: (head, tail) => events.tooLarge(idOfCut(head, tail)),
      stderr: (line) => options.onStderr?.(server, line),
      gone: (why) => events.closed(why),
    });
  } catch {
    throw new UpstreamUnavailable('the server cannot be started');
  }
  return {
    send: (text) => ({ kind: child.write(text) ? 'sent' : 'not_sent' }),
    close: () => child.close(),
  };
}

async function configured(transport: StdioTransport, options: ConnectionOptions): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(transport.env)) {
    try {
      env[name] = typeof value === 'string' ? value : await options.resolveSecret(value.secretRef);
    } catch {
      throw new UpstreamUnavailable(`a secret of the server's environment cannot be read (${name})`);
    }
  }
  return env;
}
