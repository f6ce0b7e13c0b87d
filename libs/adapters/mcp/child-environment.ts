/** What programs need to find themselves and their user; the official SDK passes on the same. Nothing else of our own environment. */
const WINDOWS = `APPDATA COMSPEC HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMDATA PROGRAMFILES SYSTEMDRIVE
  SYSTEMROOT TEMP USERNAME USERPROFILE WINDIR`;
const INHERITED = (process.platform === 'win32' ? WINDOWS : 'HOME LOGNAME PATH SHELL TERM USER').split(/\s+/);

export type Environment = Readonly<Record<string, string | undefined>>;

/** The whole environment of a server's process: what its configuration says, and a few names of ours. */
export function childEnvironment(own: Environment, configured: Readonly<Record<string, string>>): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = own[name];
    // Some shells put functions into the environment.
    if (value !== undefined && !value.startsWith('()')) inherited[name] = value;
  }
  return { ...inherited, ...configured };
}
