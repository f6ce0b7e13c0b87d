import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** PostgreSQL refuses to run as root; then it runs as this unprivileged user. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: RunAs = { uid: 65534, gid: 65534 };

export function runAsOfThisProcess(): RunAs | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** Whether that user may walk to the path: every directory above it is searchable for others (or its own). */
export function reachableBy(path: string, runAs: RunAs): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      const bit = stat.uid === runAs.uid ? 0o100 : stat.gid === runAs.gid ? 0o010 : 0o001;
      if ((stat.mode & bit) === 0) return false;
    }
    if (at === dirname(at)) return true;
  }
}
