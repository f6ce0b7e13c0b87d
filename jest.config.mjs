// One run, three projects by suffix: `.spec.ts` (no I/O), `.int.spec.ts` (real PostgreSQL and friends), apps/e2e (the whole product).
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true }, target: 'es2023' }, sourceMaps: 'inline' }],
  },
  moduleNameMapper: { '^#libs/(.*)$': '<rootDir>/libs/$1/index.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.nx/', '<rootDir>/tmp/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/', '/bad-examples/'],
};

export default {
  workerIdleMemoryLimit: '1GB',
  // Not a measure of anything: a busy machine must not fail a spec that only waits for real servers.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{libs,apps,bench,tools}/**/*.spec.ts'], testPathIgnorePatterns: [...common.testPathIgnorePatterns, '\\.int\\.spec\\.ts$', '<rootDir>/apps/e2e/'] },
    { ...common, displayName: 'int', testMatch: ['<rootDir>/{libs,apps,bench,tools}/**/*.int.spec.ts'], testPathIgnorePatterns: [...common.testPathIgnorePatterns, '<rootDir>/apps/e2e/'], globalSetup: '<rootDir>/libs/testing/postgres/global-setup.mjs', globalTeardown: '<rootDir>/libs/testing/postgres/global-teardown.mjs' },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/apps/e2e/**/*.spec.ts'] },
  ],
};
