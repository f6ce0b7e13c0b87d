// What came out of the comparison, for whoever reads the terminal.
const MESSAGE = 160;

export function print({ passed, score, failing, differences, unused }, { direct }) {
  for (const [target, sets] of Object.entries(score)) {
    for (const [set, { passed: good, of }] of Object.entries(sets)) if (of > 0) console.log(`${target.padEnd(7)}  ${set}  ${good} of ${of} scored checks`);
  }
  for (const { set, scenario, check, message } of failing) console.log(`\nfails directly: ${set} ${scenario} ${check}\n  ${message ?? ''}`);
  const [unexpected, expected] = [differences.filter(({ allowed }) => allowed === undefined), differences.filter(({ allowed }) => allowed !== undefined)];
  table(`${unexpected.length} differences that are not allowed`, unexpected);
  table(`${expected.length} allowed differences`, expected);
  for (const { set, scenario, check } of unused) console.log(`\nallowed, but there is no such difference any more: ${set} ${scenario} ${check}`);
  console.log(`\nparity: ${passed ? (direct ? 'everything passes directly' : 'the same through Holdfast as directly') : 'FAILED'}`);
}

function table(title, differences) {
  if (differences.length === 0) return;
  console.log(`\n${title}`);
  const width = (field, least) => Math.max(least, ...differences.map((difference) => difference[field].length));
  const widths = [width('scenario', 8), width('check', 5)];
  let set;
  for (const { set: ofSet, scenario, check, scored, direct, through, message, allowed } of differences) {
    if (ofSet !== set) console.log(`\n  ${ofSet}`);
    set = ofSet;
    console.log(`  ${scored ? ' ' : '~'} ${scenario.padEnd(widths[0])}  ${check.padEnd(widths[1])}  ${direct} → ${through}`);
    const note = allowed ?? message;
    if (note !== undefined) console.log(`      ${note.replaceAll(/\s+/g, ' ').slice(0, MESSAGE)}`);
  }
  console.log('\n  ~ is run by the suite, but not scored');
}
