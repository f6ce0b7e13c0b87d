import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Stops the server of this run, by its pid, and removes its directory. */
export default async function teardown() {
  const directory = process.env.HOLDFAST_TEST_CLUSTER;
  if (!directory) return;
  const { pid } = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8'));
  const alive = () => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  if (alive()) process.kill(pid, 'SIGQUIT');
  for (let i = 0; i < 200 && alive(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
