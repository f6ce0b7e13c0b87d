import { describe, expect, it } from '@jest/globals';
import { parseEnvironment } from './environment.ts';

const problems = (env: Record<string, string | undefined>) => {
  const parsed = parseEnvironment(env);
  return parsed.ok ? [] : parsed.problems;
};

describe('parseEnvironment', () => {
  it('needs nothing', () => {
    expect(parseEnvironment({ PATH: '/bin', HOME: '/root' })).toEqual({
      ok: true,
      settings: {
        configFile: undefined,
        dataDirectory: './.holdfast',
        port: 4640,
        host: '127.0.0.1',
        mode: 'embedded',
        masterKeyFile: undefined,
        databaseUrl: undefined,
        auditDatabaseUrl: undefined,
        kafkaBrokers: undefined,
        redisUrl: undefined,
        logLevel: 'info',
      },
    });
  });

  it('reads every variable', () => {
    const parsed = parseEnvironment({
      HOLDFAST_CONFIG: 'holdfast.yaml',
      HOLDFAST_DATA: '/data',
      HOLDFAST_PORT: '0',
      HOLDFAST_HOST: '::',
      HOLDFAST_MODE: 'distributed',
      HOLDFAST_MASTER_KEY_FILE: '/key',
      DATABASE_URL: 'postgres://u:p@db/x',
      AUDIT_DATABASE_URL: 'postgresql://u:p@db/y',
      KAFKA_BROKERS: 'a:9092,b:9092',
      REDIS_URL: 'rediss://r',
      LOG_LEVEL: 'warn',
    });
    expect(parsed).toMatchObject({ ok: true, settings: { port: 0, host: '::', mode: 'distributed', kafkaBrokers: ['a:9092', 'b:9092'], logLevel: 'warn', auditDatabaseUrl: 'postgresql://u:p@db/y' } });
  });

  it('names every wrong variable at once and no value of any', () => {
    const secret = 'hunter2';
    const wrong = problems({
      HOLDFAST_PORT: `${secret}`,
      HOLDFAST_HOST: `a b ${secret}`,
      HOLDFAST_MODE: secret,
      DATABASE_URL: `mysql://root:${secret}@db`,
      AUDIT_DATABASE_URL: secret,
      KAFKA_BROKERS: secret,
      REDIS_URL: `http://:${secret}@r`,
      LOG_LEVEL: secret,
    });
    expect(wrong.map(({ name }) => name)).toEqual(['AUDIT_DATABASE_URL', 'DATABASE_URL', 'HOLDFAST_HOST', 'HOLDFAST_MODE', 'HOLDFAST_PORT', 'KAFKA_BROKERS', 'LOG_LEVEL', 'REDIS_URL']);
    expect(wrong.every(({ message }) => message.startsWith('must be '))).toBe(true);
    expect(JSON.stringify(wrong)).not.toContain(secret);
  });

  it.each(['65536', '-1', '4640x', '1e3', ' 80'])('takes %j for no port', (port) => {
    expect(problems({ HOLDFAST_PORT: port })).toEqual([{ name: 'HOLDFAST_PORT', message: 'must be a port: a number from 0 to 65535' }]);
  });

  it('says which variable a mistyped one probably is, and leaves those of others alone', () => {
    expect(problems({ HOLDFAST_PROT: '1', HOLDFAST_COLOUR: 'red', HOLDFAST_TOKEN: 't', HOLDFAST_URL: 'u', DATABASE_URI: 'x' })).toEqual([
      { name: 'HOLDFAST_COLOUR', message: 'is not known' },
      { name: 'HOLDFAST_PROT', message: 'is not known', suggestion: 'HOLDFAST_PORT' },
    ]);
  });

  it('takes an empty variable as not set', () => {
    expect(parseEnvironment({ HOLDFAST_PORT: '', DATABASE_URL: '', HOLDFAST_MODE: '' })).toMatchObject({ ok: true, settings: { port: 4640, mode: 'embedded', databaseUrl: undefined } });
  });
});
