import { parseEnvironment, type Settings } from '#libs/contracts';
import { endWith } from './end-with.ts';

type Given<K extends keyof Settings> = Settings & { readonly [N in K]-?: NonNullable<Settings[N]> };

/** The process's settings; ends the process with every wrong variable by name when the environment is not valid. */
export function readSettings<K extends keyof Settings = never>(env: NodeJS.ProcessEnv, required: readonly K[] = []): Given<K> {
  const parsed = parseEnvironment(env);
  if (!parsed.ok) {
    const lines = parsed.problems.map(({ name, message, suggestion }) => `  ${name} ${message}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`);
    return endWith(78, ['the environment is not valid: [environment_invalid]', ...lines].join('\n'));
  }
  const missing = required.filter((name) => parsed.settings[name] === undefined);
  if (missing.length > 0) return endWith(78, `missing settings: ${missing.join(', ')} [environment_invalid]`);
  return parsed.settings as Given<K>;
}
