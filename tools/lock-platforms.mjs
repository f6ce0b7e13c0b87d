// Completes package-lock.json after `npm install`. A registry mirror that does not carry the builds of other platforms
// makes npm drop them from the lock file without a word, and `npm ci` then refuses the lock file elsewhere (EUSAGE).
// For each optional dependency that is named but not locked, this adds a stub that npm never fetches on this platform.
// Run: node tools/lock-platforms.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const platform = (name) => {
  const os = /darwin/.test(name) ? 'darwin' : /win(32|dows)/.test(name) ? 'win32' : /freebsd/.test(name) ? 'freebsd' : /android/.test(name) ? 'android' : /openharmony/.test(name) ? 'openharmony' : 'linux';
  const cpu = ['arm64', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64'].find((c) => name.includes(c)) ?? 'arm';
  const libc = os === 'linux' ? (/musl/.test(name) ? ['musl'] : /gnu/.test(name) ? ['glibc'] : undefined) : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc }) };
};
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    if (lock.packages[`node_modules/${name}`] || lock.packages[nested]) continue;
    const stub = { version: range.replace(/^[~^]/, ''), optional: true, ...platform(name) };
    if (entry.dev) stub.dev = true;
    lock.packages[`node_modules/${name}`] = stub;
    added.push(name);
  }
}
if (process.argv.includes('--check')) {
  if (added.length) console.error(`package-lock.json lacks ${added.length} platform entries: run node tools/lock-platforms.mjs`);
  process.exit(added.length ? 1 : 0);
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added.length} platform entries added`);
