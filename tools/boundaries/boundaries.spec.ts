import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

/**
 * The import rules, tried on code that breaks them. bad-examples/ is a small repository of its own: each file named after a rule
 * holds one illegal import and must break exactly that rule. A rule without a file, or a file without a bite, fails here.
 */
const root = join(import.meta.dirname, '..', '..');
const badExamples = join(import.meta.dirname, 'bad-examples');
const configuration = join(root, '.dependency-cruiser.cjs');
const rules = (createRequire(import.meta.url)(configuration) as { forbidden: { name: string; severity: string; comment: string }[] }).forbidden;

interface Cruise {
  readonly exitCode: number;
  readonly modules: number;
  readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
}

function cruise(directory: string): Promise<Cruise> {
  const folders = readdirSync(directory).filter((name) => ['apps', 'libs', 'bench', 'tools'].includes(name));
  const command = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  // The JSON report always exits 0; the err report is what people and CI run, so its exit code is the one to check.
  const run = (type: string): Promise<{ exitCode: number; output: string }> =>
    new Promise((resolve, reject) => {
      execFile(process.execPath, [command, '--config', configuration, '-T', type, ...folders], { cwd: directory, maxBuffer: 64 << 20 }, (error, output, problems) => {
        if (error && typeof error.code !== 'number') reject(new Error(problems || error.message));
        else resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, output });
      });
    });
  return Promise.all([run('json'), run('err')]).then(([json, err]) => {
    const { summary } = JSON.parse(json.output) as { summary: { totalCruised: number; violations: Cruise['violations'] } };
    return { exitCode: err.exitCode, modules: summary.totalCruised, violations: summary.violations };
  });
}

const ruleOf = (file: string): string => basename(file).split('.')[0]!;

describe('import rules', () => {
  let bad: Cruise;
  let real: Cruise;
  beforeAll(async () => {
    [bad, real] = await Promise.all([cruise(badExamples), cruise(root)]);
  }, 120_000);

  it('have distinct names, a sentence each, and are errors', () => {
    expect(new Set(rules.map((rule) => rule.name)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.severity).toBe('error');
      expect(rule.comment).toMatch(/\.$/);
    }
  });

  it('each bite on their bad example', () => {
    const bitten = new Set(bad.violations.map((violation) => violation.rule.name));
    expect(rules.map((rule) => rule.name).filter((name) => !bitten.has(name))).toEqual([]);
  });

  it('each bite on nothing but their own example, and every example is bitten', () => {
    // sha256.ts keeps its name, because the rule is about that one file; a cycle is reported at one of its two ends.
    const own: Record<string, string> = { sha256: 'sha256-knows-only-node-crypto', 'cycle-partner': 'no-cycles' };
    const wrong = bad.violations.filter(({ from, rule }) => (own[ruleOf(from)] ?? ruleOf(from)) !== rule.name);
    expect(wrong).toEqual([]);
    const examples = readdirSync(badExamples, { recursive: true, encoding: 'utf8' }).filter((file) => rules.some((rule) => rule.name === ruleOf(file)));
    const bitten = new Set(bad.violations.map((violation) => basename(violation.from)));
    expect(examples.map((file) => basename(file)).filter((file) => !bitten.has(file) && ruleOf(file) !== 'no-cycles')).toEqual([]);
    expect(bad.exitCode).toBeGreaterThan(0);
  });

  it('hold in this repository', () => {
    expect(real.violations.map(({ from, rule, ...rest }) => `${rule.name}: ${from} → ${(rest as { to?: string }).to ?? ''}`)).toEqual([]);
    expect(real.exitCode).toBe(0);
    expect(real.modules).toBeGreaterThan(50);
  });
});
