import { hostname, networkInterfaces } from 'node:os';

/** What clients may call this process by: the host it listens on, or every address of the machine when it listens on all. */
export function ownNames(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [inUrl(host)];
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [hostname(), ...addresses.map(({ address }) => inUrl(address))];
}

/** The URL of a host and port. */
export function urlOf(host: string, port: number): string {
  return `http://${inUrl(host)}:${port}`;
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
