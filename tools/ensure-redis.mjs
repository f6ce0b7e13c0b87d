// The specs of jobs on Redis skip themselves where there is no redis-server. On a machine that we may install it on, they must not.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isThere = () => Boolean(process.env.HOLDFAST_REDIS_SERVER) || spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** Installs Debian's redis-server when it is missing and we are root; says what it does. The specs start their own, so no service is. */
export function ensureRedis() {
  if (isThere()) return;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    console.log('There is no redis-server, and it is not ours to install here: the specs of jobs on Redis are skipped.');
    return;
  }
  console.log('There is no redis-server: installing it for the specs of jobs on Redis (apt-get install redis-server).');
  // Keeps the package from starting a service where nothing else forbids it.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env, timeout: 300_000 }).status === 0;
  const install = () => apt('install', '-y', '--no-install-recommends', 'redis-server');
  if ((install() || (apt('update') && install())) && isThere()) console.log('redis-server is installed.');
  else console.log('redis-server could not be installed: the specs of jobs on Redis are skipped.');
}
