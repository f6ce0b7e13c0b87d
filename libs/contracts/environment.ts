import { z } from 'zod';
import { nearestName } from './config/nearest-name.ts';

const serverUrl = (what: string, ...protocols: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol.slice(0, -1)), `must be a URL of ${what}: ${protocols[0]}://…`);

/**
 * Every environment variable that Holdfast reads. An empty variable counts as not set, because that is what compose files and
 * shells make of a variable nobody gave.
 */
const Environment = z.object({
  HOLDFAST_CONFIG: z.string().optional(),
  HOLDFAST_DATA: z.string().default('./.holdfast'),
  HOLDFAST_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port: a number from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a port: a number from 0 to 65535')
    .default(4640),
  HOLDFAST_HOST: z.string().regex(/^[A-Za-z0-9.:_-]+$/, 'must be a host name or an address').default('127.0.0.1'),
  HOLDFAST_MODE: z.enum(['embedded', 'distributed'], 'must be embedded or distributed').default('embedded'),
  HOLDFAST_MASTER_KEY_FILE: z.string().optional(),
  DATABASE_URL: serverUrl('a PostgreSQL database', 'postgresql', 'postgres').optional(),
  AUDIT_DATABASE_URL: serverUrl('a PostgreSQL database', 'postgresql', 'postgres').optional(),
  KAFKA_BROKERS: z
    .string()
    .regex(/^[A-Za-z0-9._-]+:\d{1,5}(,[A-Za-z0-9._-]+:\d{1,5})*$/, 'must be a list host:port,host:port')
    .transform((list) => list.split(','))
    .optional(),
  REDIS_URL: serverUrl('a Redis server', 'redis', 'rediss').optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be trace, debug, info, warn, error, fatal or silent').default('info'),
});

/** Read by the command line and not by the server; known here so that nobody is told they are mistakes. */
const OF_THE_COMMAND_LINE = ['HOLDFAST_URL', 'HOLDFAST_TOKEN'];

export interface Settings {
  readonly configFile: string | undefined;
  readonly dataDirectory: string;
  readonly port: number;
  readonly host: string;
  readonly mode: 'embedded' | 'distributed';
  readonly masterKeyFile: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly auditDatabaseUrl: string | undefined;
  readonly kafkaBrokers: readonly string[] | undefined;
  readonly redisUrl: string | undefined;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

/** What is wrong with one variable, by its name and never by its value. */
export interface EnvironmentProblem {
  readonly name: string;
  readonly message: string;
  readonly suggestion?: string;
}

export type ParsedEnvironment = { readonly ok: true; readonly settings: Settings } | { readonly ok: false; readonly problems: readonly EnvironmentProblem[] };

/** All settings, or everything that is wrong at once. A HOLDFAST_ variable nobody reads is a mistake, not a wish to be ignored. */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): ParsedEnvironment {
  const known = Object.keys(Environment.shape);
  const given = Object.fromEntries(known.flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])));
  const parsed = Environment.safeParse(given);
  const problems: EnvironmentProblem[] = parsed.success ? [] : parsed.error.issues.map((issue) => ({ name: String(issue.path[0]), message: issue.message }));
  for (const name of Object.keys(env)) {
    if (!name.startsWith('HOLDFAST_') || known.includes(name) || OF_THE_COMMAND_LINE.includes(name)) continue;
    const suggestion = nearestName(name, [...known, ...OF_THE_COMMAND_LINE]);
    problems.push({ name, message: 'is not known', ...(suggestion !== undefined && { suggestion }) });
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems: problems.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) };
  const { data } = parsed;
  return {
    ok: true,
    settings: {
      configFile: data.HOLDFAST_CONFIG,
      dataDirectory: data.HOLDFAST_DATA,
      port: data.HOLDFAST_PORT,
      host: data.HOLDFAST_HOST,
      mode: data.HOLDFAST_MODE,
      masterKeyFile: data.HOLDFAST_MASTER_KEY_FILE,
      databaseUrl: data.DATABASE_URL,
      auditDatabaseUrl: data.AUDIT_DATABASE_URL,
      kafkaBrokers: data.KAFKA_BROKERS,
      redisUrl: data.REDIS_URL,
      logLevel: data.LOG_LEVEL,
    },
  };
}
