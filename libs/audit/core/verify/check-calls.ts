import { canonicalJson } from '#libs/contracts';
import { type CallRow, MAX_CALL_EVENTS } from '../calls/call-row.ts';
import { foldCall, isCallEvent } from '../calls/fold-call.ts';
import { readEvent } from '../event/read-event.ts';
import type { LogReading, StoredEntry } from './log-reading.ts';
import { type PropertyResult, Tally } from './property.ts';

/** Events read at once; a call with more is read alone. */
const EVENTS_PER_READING = 500;

/**
 * Whether the read model of calls is what folding the log gives. Each row is folded anew from the entries it names; as each entry
 * belongs to one call and all rows together name as many as the log has, no row and no event is left out.
 */
export async function checkCalls(log: LogReading, callEvents: number): Promise<PropertyResult> {
  const tally = new Tally('calls');
  let named = 0;
  let rows = 0;
  let unlisted = 0;
  for await (const page of log.calls()) {
    for (const some of inPortions(page)) {
      const entries = new Map((await log.entriesAt(some.flatMap((row) => row.events))).map((entry) => [entry.index, entry]));
      for (const row of some) {
        rows++;
        named += row.eventCount;
        if (row.eventCount > MAX_CALL_EVENTS) unlisted++;
        else if (!isFoldOf(row, entries)) tally.fail(`call ${row.call} is not what its events say`, row.firstIndex);
      }
    }
  }
  if (named !== callEvents) tally.fail(`the calls name ${named} events; the log has ${callEvents}`);
  const result = tally.result(`${rows} calls are what their events say`);
  if (result.status === 'PASS' && unlisted > 0) return { property: 'calls', status: 'NOT CHECKED', sentence: `${unlisted} calls have more than ${MAX_CALL_EVENTS} events each and were not folded anew` };
  return result;
}

function* inPortions(rows: readonly CallRow[]): Generator<readonly CallRow[]> {
  let portion: CallRow[] = [];
  let events = 0;
  for (const row of rows) {
    if (portion.length > 0 && events + row.events.length > EVENTS_PER_READING) {
      yield portion;
      portion = [];
      events = 0;
    }
    portion.push(row);
    events += row.events.length;
  }
  if (portion.length > 0) yield portion;
}

function isFoldOf(row: CallRow, entries: ReadonlyMap<number, StoredEntry>): boolean {
  let folded: CallRow | undefined;
  let previous = -1;
  for (const index of row.events) {
    const entry = entries.get(index);
    const reading = entry && readEvent(entry.bytes);
    if (index <= previous || !reading || 'rejected' in reading || !isCallEvent(reading.event) || reading.event.links.call !== row.call || reading.event.tenant !== row.tenant) return false;
    folded = foldCall(folded, reading.event, index);
    previous = index;
  }
  return folded !== undefined && canonicalJson(folded) === canonicalJson(row);
}
