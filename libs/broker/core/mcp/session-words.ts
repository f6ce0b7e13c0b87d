import type { Peers } from '#libs/ports';
import type { PeerAnswer } from '../upstream/upstreams.ts';
import type { HeldCalls } from './held-calls.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { TaskWord } from '../tasks/running-tasks.ts';
import { isObject, type JsonObject } from './protocol.ts';
import type { Sessions } from './sessions.ts';

/** What a client said to this broker about something that another one is doing for its session. */
type Word =
  | { readonly about: 'answer'; readonly session: string; readonly question: string; readonly answer: PeerAnswer }
  | { readonly about: 'cancel'; readonly session: string; readonly request: string }
  | { readonly about: 'say'; readonly session: string; readonly message: string }
  | { readonly about: 'level'; readonly session: string; readonly level: string }
  | { readonly about: 'held'; readonly session: string; readonly question: string; readonly answer: PeerAnswer }
  | { readonly about: 'task'; readonly session: string; readonly tenant: string; readonly word: TaskWord }
  | { readonly about: 'end'; readonly session: string };

/** No question of ours, and no call that anybody follows, has a longer name; words about others trouble nobody. */
const MAX_NAME = 1_000;

/**
 * Keeps a session whole over several brokers: whichever gets a client's request, the one that holds the stream, the call or the
 * question hears of it.
 */
export class SessionWords {
  constructor(
    private readonly peers: Peers,
    private readonly sessions: Sessions,
    private readonly live: LiveSessions,
    private readonly held: HeldCalls,
  ) {
    peers.hear((text) => this.heard(JSON.parse(text)));
  }

  answered(session: string, question: string, answer: PeerAnswer): void {
    if (question.length > MAX_NAME) return;
    if (!this.live.find(session)?.answered(question, answer)) this.tell({ about: 'answer', session, question, answer });
  }

  cancelled(session: string, request: string): void {
    if (!this.live.find(session)?.cancel(request) && request.length <= MAX_NAME) this.tell({ about: 'cancel', session, request });
  }

  /** Says something on the stream of a session, wherever that is. */
  say(session: string, message: string): void {
    if (!this.live.find(session)?.say(message)) this.tell({ about: 'say', session, message });
  }

  level(session: string, level: string): void {
    this.live.setLevel(session, level);
    this.tell({ about: 'level', session, level });
  }

  /** An answer for a call without a session that waits at another broker. */
  heldAnswered(held: string, question: string, answer: PeerAnswer): void {
    this.tell({ about: 'held', session: held, question, answer });
  }

  /** Something about a task; its approval stands for a session. */
  task(tenant: string, approval: string, word: TaskWord): void {
    this.tell({ about: 'task', session: approval, tenant, word });
  }

  /** The one who hears what others say of tasks. */
  onTask: (tenant: string, approval: string, word: JsonObject) => void = () => undefined;

  ended(session: string): void {
    this.end(session);
    this.tell({ about: 'end', session });
  }

  private end(session: string): void {
    this.sessions.end({ id: session });
    this.live.end(session);
  }

  private tell(word: Word): void {
    this.peers.tell(JSON.stringify(word));
  }

  /** Another version may be running beside this one during an upgrade: what is not known is passed over. */
  private heard(word: unknown): void {
    if (!isObject(word) || typeof word['session'] !== 'string') return;
    const { session, question, answer, request, message, level } = word;
    switch (word['about']) {
      case 'answer':
        if (typeof question === 'string' && isObject(answer)) this.live.find(session)?.answered(question, answer as PeerAnswer);
        break;
      case 'held':
        if (typeof question === 'string' && isObject(answer)) this.held.answered(session, question, answer as PeerAnswer);
        break;
      case 'cancel':
        if (typeof request === 'string') this.live.find(session)?.cancel(request);
        break;
      case 'say':
        if (typeof message === 'string') this.live.find(session)?.say(message);
        break;
      case 'level':
        if (typeof level === 'string') this.live.setLevel(session, level);
        break;
      case 'task':
        if (typeof word['tenant'] === 'string' && isObject(word['word'])) this.onTask(word['tenant'], session, word['word']);
        break;
      case 'end':
        this.end(session);
        break;
    }
  }
}
