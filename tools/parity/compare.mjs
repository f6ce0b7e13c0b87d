// What two runs of the suite have in common and what not. Nothing here reads or writes.

export const REQUIREMENT_SETS = ['2025-11-25', '2026-07-28'];

/** A check may come several times in a scenario; the first of these that is among them is its verdict. */
const WORST_FIRST = ['FAILURE', 'WARNING', 'SKIPPED', 'SUCCESS', 'INFO'];

/** Says that a check did not come at all. The suite's own remarks (INFO) come as often as there is something to remark. */
export const ABSENT = 'ABSENT';
const isRemark = (status) => status === 'INFO' || status === ABSENT;

/** One verdict for each check of a scenario. A scenario that brought no check at all has failed. */
export function verdictsOf({ set, scenario, scored, checks = [] }) {
  if (checks.length === 0) return [{ set, scenario, check: scenario, scored, status: 'FAILURE', message: 'The suite wrote no result.' }];
  const verdicts = new Map();
  for (const { id, status, errorMessage } of checks) {
    const known = verdicts.get(id);
    if (known !== undefined && severity(known.status) <= severity(status)) continue;
    verdicts.set(id, { set, scenario, check: id, scored, status, ...(errorMessage && { message: errorMessage }) });
  }
  return [...verdicts.values()];
}

/** `through` is missing when only the direct run was wanted; `mustOccur` leaves out what this run cannot show of what is allowed. */
export function compare({ direct, through, allowed = [], mustOccur = () => true }) {
  const failing = direct.filter(({ scored, status }) => scored && status === 'FAILURE');
  const score = { direct: scores(direct), ...(through && { through: scores(through) }) };
  const ran = direct.length > 0 && failing.length === 0;
  if (through === undefined) return { passed: ran, score, failing, differences: [], unused: [] };

  const differences = differencesBetween(direct, through);
  const used = new Set();
  for (const difference of differences) {
    const entry = allowed.find((candidate) => keyOf(candidate) === keyOf(difference) && candidate.direct === difference.direct && candidate.through === difference.through);
    if (entry === undefined) continue;
    used.add(entry);
    difference.allowed = entry.reason;
  }
  const unused = allowed.filter((entry) => !used.has(entry) && mustOccur(entry));
  const passed = ran && unused.length === 0 && differences.every((difference) => difference.allowed !== undefined);
  return { passed, score, failing, differences, unused };
}

function differencesBetween(direct, through) {
  const [before, after] = [direct, through].map((verdicts) => new Map(verdicts.map((verdict) => [keyOf(verdict), verdict])));
  const differences = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(key), after.get(key)];
    const [was, is] = [one?.status ?? ABSENT, other?.status ?? ABSENT];
    if (was === is || (isRemark(was) && isRemark(is))) continue;
    const { set, scenario, check, scored } = one ?? other;
    differences.push({ set, scenario, check, scored, direct: was, through: is, ...(other?.message && { message: other.message }) });
  }
  // Scenario by scenario, in the order of the suite.
  const order = [...new Set([...direct, ...through].map(scenarioOf))];
  return differences.toSorted((a, b) => order.indexOf(scenarioOf(a)) - order.indexOf(scenarioOf(b)));
}

/** Throws with what is wrong with the list of allowed differences. */
export function checkAllowed(entries) {
  const seen = new Set();
  for (const [index, entry] of entries.entries()) {
    const where = `allowed difference ${index + 1}`;
    for (const field of ['set', 'scenario', 'check', 'direct', 'through', 'reason']) {
      if (typeof entry[field] !== 'string' || entry[field].trim() === '') throw new Error(`${where} has no ${field}`);
    }
    if (!REQUIREMENT_SETS.includes(entry.set)) throw new Error(`${where} names no requirement set`);
    if (seen.has(keyOf(entry))) throw new Error(`${where} stands there twice`);
    seen.add(keyOf(entry));
  }
  return entries;
}

/** How many scored checks passed, of how many that passed or failed, in each requirement set: the suite's own pass rate. */
function scores(verdicts) {
  return Object.fromEntries(
    REQUIREMENT_SETS.map((set) => {
      const ofSet = verdicts.filter((verdict) => verdict.set === set && verdict.scored);
      const count = (status) => ofSet.filter((verdict) => verdict.status === status).length;
      return [set, { passed: count('SUCCESS'), of: count('SUCCESS') + count('FAILURE') }];
    }),
  );
}

const scenarioOf = ({ set, scenario }) => `${set} ${scenario}`;
const keyOf = ({ set, scenario, check }) => `${set} ${scenario} ${check}`;
const severity = (status) => {
  const at = WORST_FIRST.indexOf(status);
  // A status that this does not know is nothing to pass over.
  return at === -1 ? 0 : at;
};
