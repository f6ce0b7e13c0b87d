import { CanonicalText, catalogue, type EventDraft } from '#libs/contracts';
import { type Recorded, type Recorder, RecorderRefusal, RecorderTimeout, type RecordOptions } from '#libs/ports';

/** What the next `record` of a batch with this event type does. `late` keeps the events, as the port promises, and throws the time-out. */
export type RecorderFailure = 'full' | 'down' | 'stopped' | 'late' | 'fault';

/**
 * {@link Recorder} for specs: as strict about drafts as the real one, with failures that happen on demand. `log` is what became
 * durable, in order.
 */
export class MemoryRecorder implements Recorder {
  readonly instance = '00000000-0000-7000-8000-000000000000';
  readonly log: EventDraft[] = [];
  healthy = true;
  private readonly failures: { type: string; failure: RecorderFailure }[] = [];
  private readonly gates: { type: string; wait: Promise<void> }[] = [];
  private ids = 0;

  failOn(type: EventDraft['type'], failure: RecorderFailure): void {
    this.failures.push({ type, failure });
  }

  /** The next batch with this event waits until the returned function is called. */
  holdOn(type: EventDraft['type']): () => void {
    let release = (): void => undefined;
    this.gates.push({ type, wait: new Promise((resolve) => (release = resolve)) });
    return release;
  }

  types(): string[] {
    return this.log.map((event) => event.type);
  }

  async record(drafts: readonly EventDraft[], options: RecordOptions = {}): Promise<readonly Recorded[]> {
    const has = (type: string): boolean => drafts.some((draft) => draft.type === type);
    const at = this.failures.findIndex(({ type }) => has(type));
    const failure = at === -1 ? undefined : this.failures.splice(at, 1)[0]!.failure;
    if (failure === 'fault') throw new Error('the sealing key cannot be read');
    if (failure === 'stopped') throw new RecorderRefusal('stopped');
    if ((failure === 'full' || failure === 'down') && !options.mustKeep) throw new RecorderRefusal(failure);
    for (const draft of drafts) this.check(draft);
    const gate = this.gates.findIndex(({ type }) => has(type));
    if (gate !== -1) await this.gates.splice(gate, 1)[0]!.wait;
    this.log.push(...drafts.map(readable));
    if (failure === 'late') throw new RecorderTimeout();
    return drafts.map((draft) => ({ id: draft.id ?? `event-${++this.ids}`, position: BigInt(this.log.length) }));
  }

  private check(draft: EventDraft): void {
    const { data, sealed } = catalogue[draft.type];
    data.parse(draft.data);
    for (const path of Object.keys(draft.seal ?? {})) if (!sealed.includes(path)) throw new Error(`${draft.type} does not seal ${path}`);
  }
}

/** Sealed values as they were before they got their canonical form. */
function readable(draft: EventDraft): EventDraft {
  if (!draft.seal) return draft;
  const values = Object.entries(draft.seal).map(([path, value]) => [path, value instanceof CanonicalText ? (JSON.parse(value.text) as unknown) : value]);
  return { ...draft, seal: Object.fromEntries(values) as Record<string, unknown> };
}
