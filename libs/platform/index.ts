export { Public, Roles } from './auth/access.ts';
export { AccessGuard, CurrentPrincipal } from './auth/access-guard.ts';
export { HealthController, type ReadinessCheck, ReadinessChecks } from './health/health.ts';
export { createHttpApp, drainHttp, type HttpAppOptions, listen, MAX_BODY_BYTES, sentenceOf } from './http/create-app.ts';
export { ProblemFilter } from './http/problem-filter.ts';
export { createLog, Log, type LogOptions } from './logging/log.ts';
export { loadConfig, loadConfigFile, type LoadedConfig } from './config/load-config.ts';
export { type ConfigProblem, describeProblems } from './config/problem.ts';
export { resolveSecret, type SecretSources } from './config/resolve-secret.ts';
