// The suite cannot send a credential, so this stands in front of Holdfast on loopback and adds one. Everything else passes as it is, Host
// and Origin too: who is turned away for them is for Holdfast to say. Nothing is held back, and either side's end is the other's.
import { createServer, request as send } from 'node:http';
import { pipeline } from 'node:stream';

/** Headers that speak about one connection, of which there are two here, and the one that is ours. */
const NOT_PASSED_ON = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'authorization']);

export async function startBearerProxy(target, token) {
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    const headers = [...passedOn(request.rawHeaders), 'Authorization', `Bearer ${token}`];
    const outgoing = send({ hostname, port, method: request.method, path: request.url, headers, agent: false }, (incoming) => {
      response.writeHead(incoming.statusCode, passedOn(incoming.rawHeaders));
      // A stream of events begins long before its first event.
      response.flushHeaders();
      pipeline(incoming, response, () => undefined);
    });
    outgoing.setNoDelay(true);
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    pipeline(request, outgoing, () => undefined);
  });
  // A stream of events may be silent for as long as it likes.
  server.requestTimeout = 0;
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

function passedOn(rawHeaders) {
  const kept = [];
  for (let at = 0; at < rawHeaders.length; at += 2) if (!NOT_PASSED_ON.has(rawHeaders[at].toLowerCase())) kept.push(rawHeaders[at], rawHeaders[at + 1]);
  return kept;
}
