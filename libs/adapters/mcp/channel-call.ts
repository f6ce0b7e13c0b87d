import type { CancelReason, UpstreamAnswer, UpstreamCall } from '#libs/broker/core';
import { readCallAnswer } from './call-answer.ts';
import type { Sent } from './channel.ts';
import { Dialogue } from './dialogue.ts';
import { type Limits, Patience } from './patience.ts';
import { cancelledText } from './rpc.ts';

/** How long a server may still answer what was cancelled. */
const LAST_WORD_MS = 1_000;

export interface ChannelCallEvents {
  readonly send: (text: string) => Sent | Promise<Sent>;
  readonly heard: (method: string, params: string) => void;
  readonly settled: () => void;
}

/** One call on a channel that it shares with others, from its sending until it is answered or given up. */
export class ChannelCall {
  readonly done: Promise<UpstreamAnswer>;
  readonly dialogue: Dialogue;
  private resolve!: (answer: UpstreamAnswer) => void;
  private readonly patience: Patience;
  private readonly unsubscribe: () => void;
  private lastWord: NodeJS.Timeout | undefined;
  private settled = false;

  constructor(
    readonly call: UpstreamCall,
    private readonly limits: Limits,
    private readonly events: ChannelCallEvents,
  ) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.patience = new Patience(call.timeoutMs, limits, () => this.stop('timeout'));
    this.dialogue = new Dialogue(call, this.patience, { reply: (text) => void events.send(text), heard: events.heard });
    this.unsubscribe = call.cancellation.onCancel((reason) => this.stop(reason));
  }

  async send(text: string): Promise<void> {
    if (this.settled) return;
    const sent = await this.events.send(text);
    if (sent.kind === 'not_sent') this.settle({ kind: 'not_sent', reason: 'unreachable' });
    else if (sent.kind === 'rejected') this.settle({ kind: 'rejected', status: sent.status });
    else if (sent.kind === 'lost') this.settle({ kind: 'lost', reason: 'broken' });
  }

  answered(text: string, message: unknown): void {
    const answer = readCallAnswer(text, message, this.call.requestId, this.limits.maxResultBytes);
    this.settle(answer ?? { kind: 'lost', reason: 'protocol' });
  }

  /** The server said something about this call. */
  begun(): void {
    this.patience.begun();
  }

  settle(answer: UpstreamAnswer): void {
    if (this.settled) return;
    this.settled = true;
    this.patience.end();
    clearTimeout(this.lastWord);
    this.unsubscribe?.();
    this.dialogue.end();
    this.events.settled();
    this.resolve(answer);
  }

  private stop(reason: 'timeout' | CancelReason): void {
    if (this.settled || (this.lastWord && reason === 'cancelled')) return;
    void this.events.send(cancelledText(this.call.requestId, reason));
    this.patience.end();
    if (reason === 'cancelled') this.lastWord = setTimeout(() => this.settle({ kind: 'lost', reason }), LAST_WORD_MS);
    else this.settle({ kind: 'lost', reason });
  }
}
