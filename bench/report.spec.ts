import { describe, expect, it } from '@jest/globals';
import type { LoadReport } from './load.ts';
import { QUICK } from './matrix.ts';
import { goals, type Measurement, median, summarize, table } from './report.ts';

const load = (rps: number, p50: number, wrong = 0): LoadReport => ({
  mode: 'closed',
  sessions: 32,
  seconds: 1,
  calls: rps + wrong,
  rps,
  latencyMs: { p50, p90: p50, p99: p50 * 2, max: p50 * 3, mean: p50 },
  kinds: { answered: rps, refused: wrong, tool_error: 0, rpc_error: 0, http_error: 0, mismatched: 0, broken: 0 },
  details: {},
  generatorCpuUs: 0,
});
const one = (round: number, target: Measurement['target'], report: LoadReport, cpuUs?: Record<string, number>): Measurement => ({ round, combination: QUICK, target, sessions: 32, load: report, ...(cpuUs && { cpuUs }) });

describe('summarize', () => {
  it('compares within a round, so a slow minute of the machine is not a slow server', () => {
    const rows = summarize([
      one(1, 'relay', load(1000, 1)),
      one(1, 'holdfast', load(500, 2)),
      // The machine got ten times slower; the share is still a half.
      one(2, 'relay', load(100, 10)),
      one(2, 'holdfast', load(50, 20)),
    ]);
    const holdfast = rows.find(({ target }) => target === 'holdfast');
    expect(holdfast).toMatchObject({ share: 0.5, rps: 275, overRelayP50: 5.5, overDirectP50: undefined });
  });

  it('never compares one kind of call with another', () => {
    const large = { ...QUICK, payload: 1_000_000 };
    const rows = summarize([
      one(1, 'direct', load(4000, 1)),
      one(1, 'relay', load(1000, 1)),
      one(1, 'holdfast', load(500, 2)),
      { ...one(1, 'relay', load(100, 1)), combination: large },
      { ...one(1, 'holdfast', load(75, 2)), combination: large },
    ]);
    expect(rows.map(({ target, combination, share, shareOfDirect }) => [target, combination.payload, share, shareOfDirect])).toEqual([
      ['direct', 20, 4, 1],
      ['relay', 20, 1, 0.25],
      ['holdfast', 20, 0.5, 0.125],
      ['relay', 1_000_000, 1, undefined],
      ['holdfast', 1_000_000, 0.75, undefined],
    ]);
    expect(table(rows).split('\n\n')).toHaveLength(2);
    expect(goals(rows.filter(({ combination }) => combination === large))).toEqual([]);
  });

  it('adds up the parts of a server in each measurement before it takes the median', () => {
    const rows = summarize([
      one(1, 'holdfast', load(100, 1), { main: 300, projector: 100 }),
      one(2, 'holdfast', load(100, 1), { main: 100, projector: 300 }),
      one(3, 'holdfast', load(100, 1), { main: 200, projector: 250 }),
    ]);
    expect(rows[0]).toMatchObject({ cpuUs: 400, cpuByPart: { main: 200, projector: 250 } });
  });

  it('counts every call without its own answer, in all rounds', () => {
    expect(summarize([one(1, 'holdfast', load(10, 1, 2)), one(2, 'holdfast', load(10, 1, 3))])[0]?.wrong).toBe(5);
    expect(table(summarize([one(1, 'holdfast', load(10, 1, 2))])).split('\n').at(-1)).toMatch(/ 2$/);
  });
});

describe('goals', () => {
  it('are met or not, by the numbers', () => {
    const met = (rps: number, share: number): boolean[] => goals(summarize([one(1, 'relay', load(rps / share, 1)), one(1, 'holdfast', load(rps, 2), { main: 399 })])).map((goal) => goal.met);
    expect(met(1500, 0.35)).toEqual([true, true, true]);
    expect(met(1499, 0.34)).toEqual([false, false, true]);
  });

  it('say nothing about what was not measured', () => {
    expect(goals(summarize([one(1, 'relay', load(10, 1))]))).toEqual([]);
  });
});

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[undefined, 5], 5],
    [[], undefined],
  ])('of %j is %s', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});
