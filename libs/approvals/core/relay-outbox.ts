import { type Journal, JournalRefusal, type Outbox } from '#libs/ports';

const PAGE = 100;

/**
 * Moves everything that waits in the outbox to the journal, in order; returns how many batches it moved. One relay runs at a time;
 * an error leaves the rest for the next run, which repeats the same bytes under the same numbers.
 */
export async function relayOutbox(outbox: Outbox, journal: Journal): Promise<number> {
  let moved = 0;
  for (let batches = await outbox.unsent(PAGE); batches.length > 0; batches = await outbox.unsent(PAGE)) {
    for (const batch of batches) {
      try {
        await journal.append(batch);
      } catch (error) {
        // Stale: it was appended before a crash that came between appending and marking.
        if (!(error instanceof JournalRefusal && error.reason === 'stale')) throw error;
      }
      await outbox.sent(batch);
      moved++;
    }
  }
  return moved;
}
