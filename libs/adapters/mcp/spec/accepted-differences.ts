import { type Accepted, ANY, having } from './acceptance.ts';

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
const both = (...names: string[]): string[] => names.flatMap((name) => [`2026: ${name}`, `2025: ${name}`]);
const modern = (...names: string[]): string[] => names.map((name) => `2026: ${name}`);
const legacy = (...names: string[]): string[] => names.map((name) => `2025: ${name}`);

/** How Holdfast answers otherwise than the stock handler, and why.*/
export const ACCEPTED: readonly Accepted[] = [
  {
    reason: 'Errors have our words, and beside the code of the protocol the stable code of our catalogue; programs go by the codes.',
    seen: [
      ['error.message', ANY, ANY],
      ['error.data', undefined, having('code')],
      ['error.data.code', undefined, ANY],
    ],
  },
  {
    reason: 'What the SDK tells of a mistake repeats values of the request; our errors name the place and never a value.',
    seen: [
      ['error.data.mismatch', ANY, undefined],
      ['error.data.envelope', ANY, undefined],
    ],
  },
  {
    reason: 'Lists change with what the caller may see, so Holdfast says itself how long they may be kept.',
    seen: [['result.ttlMs', 0, 5_000]],
  },
  {
    reason: 'An answer that nothing precedes is plain JSON in both eras: a few clients refuse events over 1 MiB.',
    seen: [['content-type', 'text/event-stream', 'application/json']],
  },
  {
    reason: 'The session id is told once, where it begins; the protocol asks for no more.',
    seen: [['session id', true, false]],
  },
  {
    reason: 'Refusals of calls are results that a model can act on, with the id under which they are recorded.',
    cases: both('a tool that is not there'),
    seen: [['answer', 'error', 'failed result']],
  },
  {
    reason: 'Arguments are checked here, before anything is recorded as executed, and refused as a result.',
    cases: both('arguments that do not fit the schema'),
    seen: [
      ['result.content', ANY, ANY],
      ['result._meta', undefined, having('dev.holdfast/call')],
      ['result._meta.dev.holdfast/call', undefined, having('callId')],
      [`result._meta.${SERVER_INFO}`, ANY, undefined],
    ],
  },
  {
    reason: 'JSON that readers may read differently, or that cannot be recorded exactly, is refused whole.',
    cases: [
      ...both('nesting beyond what can be recorded', 'an integer that loses digits', 'a key twice'),
      ...modern('half of a pair', 'a number beyond all', 'nesting deeper than anybody needs', 'a byte order mark'),
    ],
    seen: [
      ['status', 200, 400],
      ['answer', 'result', 'error'],
    ],
  },
  {
    reason: 'Lists have pages of our own, so a cursor that is not ours is a mistake; the SDK has one page and never looks.',
    cases: both('a cursor that nobody gave out'),
    seen: [
      ['status', 200, 400],
      ['answer', 'result', 'error'],
    ],
  },
  {
    reason: 'In the era of 2026 wrong params have status 400 wherever they are found; the SDK has it for the envelope only.',
    cases: modern(
      'a cursor that is no text',
      'no name',
      'a name that is no text',
      'arguments that are a list',
      'arguments that are null',
      'no uri',
      'completion of an unknown prompt',
      'completion without a reference',
      'a stream that does not say what of',
    ),
    seen: [['status', 200, 400]],
  },
  {
    reason: 'Wrong params are told as wrong params; the SDK says internal error.',
    cases: [...both('a cursor that is no text', 'no uri', 'completion without a reference'), ...legacy('a log level that does not exist', 'no log level')],
    seen: [['error.code', -32_603, -32_602]],
  },
  {
    reason: 'The same: the params are wrong, the rest of the message is not.',
    cases: [...both('params that are a list', 'a progress token that is neither'), ...modern('params that are null')],
    seen: [['error.code', -32_600, -32_602]],
  },
  {
    reason: 'A client that takes no streams gets its answer without what precedes it.',
    cases: modern('only JSON accepted, and progress asked for'),
    seen: [['messages', ['notifications/progress', 'notifications/progress', 'result'], ['result']]],
  },
  {
    reason: 'Versions before 2025-03-26 are not spoken; the client is offered the newest one of its era.',
    cases: legacy('initialize at 2024-11-05', 'initialize at 2024-10-07'),
    seen: [['result.protocolVersion', ANY, '2025-11-25']],
  },
  {
    reason: 'An initialize that is wrong in itself is told what is wrong, in band and under its id.',
    cases: legacy('initialize at no version', 'initialize at a version that is no text', 'initialize without params'),
    seen: [
      ['status', 400, 200],
      ['error.code', -32_000, -32_602],
      ['id', null, 1],
    ],
  },
  {
    reason: 'A client may leave out who it is: what it claims decides nothing.',
    cases: legacy('initialize without a client'),
    seen: [
      ['status', 400, 200],
      ['session id', false, true],
      ['answer', 'error', 'result'],
    ],
  },
  {
    reason: 'Sessions are sealed text and any number of them may be open, so initialize always opens another one.',
    cases: legacy('initialize in a session'),
    seen: [
      ['status', 400, 200],
      ['session id', false, true],
      ['answer', 'error', 'result'],
    ],
  },
  {
    reason: 'An initialize that wants no answer opens no session, so it is refused like everything else outside of one.',
    cases: legacy('initialize as a notification'),
    seen: [
      ['status', 202, 400],
      ['content-type', undefined, 'application/json'],
      ['messages', [], ['error']],
    ],
  },
  {
    reason: 'The end of what never was is no mistake.',
    cases: legacy('the end of a subscription where there are none'),
    seen: [['answer', 'error', 'result']],
  },
  {
    reason: 'Refusals carry the id of the request wherever it could be read.',
    cases: legacy('a version header of nobody', 'no session', 'a session that is made up', 'a session that has ended'),
    seen: [['id', null, 1]],
  },
  {
    reason: 'The SDK has one code for everything that is wrong with HTTP; ours are those that the protocol has for a wrong request.',
    seen: [['error.code', -32_000, -32_600]],
  },
  {
    reason: 'A version that is not spoken has the same code in both eras.',
    cases: legacy('a version header of nobody'),
    seen: [['error.code', -32_000, -32_022]],
  },
  {
    reason: 'Whoever takes JSON is served: answers are plain JSON unless something precedes them.',
    cases: legacy('only JSON accepted', 'nothing said of what is accepted'),
    seen: [
      ['status', 406, 200],
      ['answer', 'error', 'result'],
    ],
  },
  {
    reason: 'Whoever takes neither JSON nor streams is told so, in the era of 2026 as in those before.',
    cases: modern('pages accepted'),
    seen: [
      ['status', 200, 406],
      ['answer', 'result', 'error'],
    ],
  },
  {
    reason: 'Batches are refused in every era: each call is a request of its own, judged and answered alone.',
    cases: legacy('a batch'),
    seen: [
      ['status', 200, 400],
      ['messages', ['result', 'result'], ['error']],
    ],
  },
  {
    reason: 'There is nothing to GET or DELETE in the era of 2026, whether there is a session or not.',
    cases: ['GET of 2026', 'DELETE of 2026'],
    seen: [
      ['status', 400, 405],
      ['allow', undefined, 'POST'],
    ],
  },
  {
    reason: 'A version that nobody speaks has a code of its own, also where a session is read or ended.',
    cases: ['GET of a session in a version of nobody', 'DELETE of a session in a version of nobody'],
    seen: [['error.code', -32_000, -32_022]],
  },
  {
    reason: 'A request in a session that is wrong in itself is answered in band, as every other one there.',
    cases: legacy('a progress token that is neither'),
    seen: [['status', 400, 200]],
  },
  {
    reason: 'A session that has ended leaves nothing to say.',
    cases: ['DELETE of a session'],
    seen: [['status', 200, 204]],
  },
  {
    reason: 'A host that is not served here has a status of its own.',
    cases: modern('a foreign host'),
    seen: [['status', 403, 421]],
  },
  {
    reason: 'Members that JSON-RPC does not have are not looked at, and not passed on.',
    cases: modern('another member beside the method'),
    seen: [
      ['status', 400, 200],
      ['answer', 'error', 'result'],
    ],
  },
];

/** What comes to that where a client of the older era calls a server of the newer one. */
export const ACROSS_ERAS: readonly Accepted[] = [
  {
    reason: 'A server of the newer era logs to those who asked; a client of the older one asks with logging/setLevel.',
    cases: legacy('logs'),
    seen: [['messages', ['notifications/message', 'result'], ['result']]],
  },
  {
    reason: 'A server of the newer era always has a _meta; when only that era\'s own words stood in it, it goes with them.',
    seen: [['result._meta', {}, undefined]],
  },
];
