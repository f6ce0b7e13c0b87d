/**
 * Every refusal and error a caller can meet, by stable code. The code is what HTTP, MCP, Slack and CLI show alike; the sentence
 * is the default text. `retry` says whether the same request may succeed later without anybody changing anything.
 */
export interface ErrorEntry {
  readonly http: number;
  /** JSON-RPC error code where the problem is one of protocol; refusals of a call are results, not errors. */
  readonly rpc?: number;
  readonly retry: boolean;
  readonly sentence: string;
}

const entries = {
  // Protocol
  parse_error: { http: 400, rpc: -32700, retry: false, sentence: 'The body is not JSON.' },
  invalid_request: { http: 400, rpc: -32600, retry: false, sentence: 'The body is not a JSON-RPC request.' },
  batch_not_supported: { http: 400, rpc: -32600, retry: false, sentence: 'JSON-RPC batches are not accepted; send one message per request.' },
  method_not_found: { http: 404, rpc: -32601, retry: false, sentence: 'This method is not known here.' },
  invalid_params: { http: 400, rpc: -32602, retry: false, sentence: 'The parameters are not valid.' },
  not_canonical: { http: 400, rpc: -32602, retry: false, sentence: 'The request holds JSON that cannot be recorded exactly.' },
  header_mismatch: { http: 400, rpc: -32020, retry: false, sentence: 'A header contradicts the body.' },
  unsupported_version: { http: 400, rpc: -32022, retry: false, sentence: 'This protocol version is not supported.' },
  tasks_not_declared: { http: 400, rpc: -32021, retry: false, sentence: 'This needs a client that can follow tasks and says so (io.modelcontextprotocol/tasks).' },
  body_too_large: { http: 413, rpc: -32600, retry: false, sentence: 'The body is larger than 4 MiB.' },
  unsupported_media_type: { http: 415, rpc: -32600, retry: false, sentence: 'Send application/json.' },
  not_acceptable: { http: 406, rpc: -32600, retry: false, sentence: 'The Accept header must allow application/json and text/event-stream.' },
  session_unknown: { http: 404, rpc: -32001, retry: false, sentence: 'This session is not known; initialize again.' },
  session_required: { http: 400, rpc: -32600, retry: false, sentence: 'Send the Mcp-Session-Id that initialize returned.' },
  method_not_allowed: { http: 405, retry: false, sentence: 'This method is not allowed on this path.' },
  not_found: { http: 404, retry: false, sentence: 'There is nothing here.' },
  origin_denied: { http: 403, retry: false, sentence: 'Requests from this origin are not accepted.' },
  host_denied: { http: 421, retry: false, sentence: 'This host name is not served here.' },
  request_invalid: { http: 400, retry: false, sentence: 'The request is not valid.' },
  unknown_field: { http: 400, retry: false, sentence: 'The body holds a field that is not known here.' },
  // Identity
  session_ended: { http: 401, retry: false, sentence: 'You are not signed in any more; sign in again.' },
  form_invalid: { http: 403, retry: false, sentence: 'This form does not come from a page of your session; open the page again.' },
  idempotency_key_reused: { http: 409, retry: false, sentence: 'This Idempotency-Key was used for another request.' },
  idempotency_in_progress: { http: 409, retry: true, sentence: 'The first request with this Idempotency-Key is still being worked on.' },
  too_many_streams: { http: 429, retry: true, sentence: 'Too many live streams are open already.' },
  unauthenticated: { http: 401, retry: false, sentence: 'A bearer token is needed.' },
  token_malformed: { http: 401, retry: false, sentence: 'The bearer token is not one of ours.' },
  token_unknown: { http: 401, retry: false, sentence: 'The bearer token is not known.' },
  token_expired: { http: 401, retry: false, sentence: 'The bearer token has expired.' },
  forbidden: { http: 403, retry: false, sentence: 'Your role does not allow this.' },
  signature_invalid: { http: 401, retry: false, sentence: 'The signature of this request is not valid, not fresh, or was used before.' },
  account_unlinked: { http: 403, retry: false, sentence: 'This account is not linked to a person here.' },
  account_not_accepted: { http: 403, retry: false, sentence: 'Only a full member of the workspace can be linked, and only to a person with the same e-mail address.' },
  link_over: { http: 410, retry: false, sentence: 'This link was used, or its time is over; ask for a new one.' },
  // A call
  tool_not_found: { http: 404, retry: false, sentence: 'There is no such tool, or you may not see it.' },
  prompt_not_found: { http: 404, rpc: -32602, retry: false, sentence: 'There is no such prompt, or you may not see it.' },
  resource_not_found: { http: 404, rpc: -32002, retry: false, sentence: 'There is no such resource, or you may not see it.' },
  arguments_invalid: { http: 400, retry: false, sentence: "The arguments do not fit the tool's input schema." },
  policy_denied: { http: 403, retry: false, sentence: 'Policy does not allow this call.' },
  policy_error: { http: 403, retry: false, sentence: 'The policy could not be evaluated for this call, so it is not allowed.' },
  approval_unavailable: { http: 403, retry: false, sentence: 'This call needs the approval of people, and nobody can approve it.' },
  // Approvals
  approval_not_found: { http: 404, retry: false, sentence: 'There is no such approval.' },
  approval_exists: { http: 409, retry: false, sentence: 'This approval was requested already.' },
  approval_expired: { http: 410, retry: false, sentence: 'The time for this approval is over, which denies it.' },
  approval_denied: { http: 409, retry: false, sentence: 'This call was denied.' },
  approval_cancelled: { http: 409, retry: false, sentence: 'This call was cancelled.' },
  approval_killed: { http: 409, retry: false, sentence: 'A kill switch stopped this call.' },
  approval_claimed: { http: 409, retry: false, sentence: 'This approval has been used.' },
  approval_granted: { http: 409, retry: false, sentence: 'This call is approved already.' },
  approval_pending: { http: 409, retry: true, sentence: 'This call still waits for people.' },
  approval_not_claimed: { http: 409, retry: false, sentence: 'This call was not released, so it has no outcome.' },
  too_many_held: { http: 429, retry: true, sentence: 'Too many calls wait for people already.' },
  stopped_by_switch: { http: 403, retry: false, sentence: 'A kill switch is on.' },
  decision_stale: { http: 409, retry: true, sentence: 'What is asked has changed since you saw it; look again.' },
  not_eligible: { http: 403, retry: false, sentence: 'You are not one of the people who decide about this step.' },
  never_counts: { http: 403, retry: false, sentence: 'Who asked for a call, or owns the agent that did, never decides about it.' },
  counted_already: { http: 409, retry: false, sentence: 'This right to decide has been used for this call; one person counts once.' },
  decided_otherwise: { http: 409, retry: false, sentence: 'You decided otherwise before; a decision stands.' },
  reason_required: { http: 400, retry: false, sentence: 'A reason is required.' },
  edit_changes_nothing: { http: 400, retry: false, sentence: 'These are the arguments it has already.' },
  too_many_edits: { http: 409, retry: false, sentence: 'The arguments of this call were edited too often.' },
  break_glass_off: { http: 403, retry: false, sentence: 'Nobody may break the glass in this flow.' },
  not_due: { http: 409, retry: true, sentence: 'It is not time for this.' },
  nothing_more_to_do: { http: 409, retry: false, sentence: 'All of it was done already.' },
  step_unknown: { http: 400, retry: false, sentence: 'This flow has no such step.' },
  delegation_chain: { http: 403, retry: false, sentence: 'A delegated right cannot be delegated again.' },
  delegation_over: { http: 400, retry: false, sentence: 'The delegation would end before it begins.' },
  delegate_unknown: { http: 400, retry: false, sentence: 'There is no such person to delegate to.' },
  too_many_delegations: { http: 409, retry: false, sentence: 'Too many rights to decide are handed on already.' },
  delegation_not_found: { http: 404, retry: false, sentence: 'There is no such delegation.' },
  delegation_too_long: { http: 400, retry: false, sentence: 'A delegation lasts at most a year.' },
  review_link_unknown: { http: 404, retry: false, sentence: 'This link is not known here, or no longer.' },
  review_link_not_yours: { http: 403, retry: false, sentence: 'This link was sent to somebody else; sign in as that person.' },
  review_link_used: { http: 409, retry: false, sentence: 'This link was used to decide; the request can only be read now.' },
  binding_mismatch: { http: 403, retry: false, sentence: 'The approval is for another call.' },
  requester_invalid: { http: 403, retry: false, sentence: 'Who asked for this call may not call any more.' },
  tool_changed: { http: 403, retry: false, sentence: 'The tool is not the one that was approved.' },
  quorum_lost: { http: 403, retry: false, sentence: 'Not enough of the people who approved this may still decide about it.' },
  only_in_console: { http: 403, retry: false, sentence: 'Calls of this class are decided in the console.' },
  channel_too_small: { http: 403, retry: false, sentence: 'The arguments cannot be edited here; edit them in the console.' },
  standing_not_found: { http: 404, retry: false, sentence: 'There is no such standing approval.' },
  standing_off: { http: 403, retry: false, sentence: 'This flow allows no standing approvals.' },
  condition_invalid: { http: 400, retry: false, sentence: 'The condition cannot be used.' },
  standing_over: { http: 410, retry: false, sentence: 'The standing approval has ended or was revoked.' },
  standing_too_long: { http: 400, retry: false, sentence: 'A standing approval lasts at most eight hours.' },
  condition_not_met: { http: 403, retry: false, sentence: 'The arguments do not meet the condition of the standing approval.' },
  // The state of Holdfast
  journal_unavailable: { http: 503, rpc: -32010, retry: true, sentence: 'The log cannot be written right now, so nothing is executed.' },
  overloaded: { http: 503, rpc: -32011, retry: true, sentence: 'Too much is waiting already; try again shortly.' },
  state_stale: { http: 503, rpc: -32012, retry: true, sentence: 'Policy and switches cannot be confirmed right now, so nothing is executed.' },
  stopping: { http: 503, rpc: -32013, retry: true, sentence: 'This broker is stopping; try again.' },
  upstream_unreachable: { http: 502, rpc: -32014, retry: true, sentence: 'The upstream server could not be reached; the call was not executed.' },
  upstream_timeout: { http: 504, retry: false, sentence: 'The upstream server did not answer in time; whether it executed the call is unknown.' },
  upstream_protocol: { http: 502, retry: false, sentence: 'The upstream server answered with something that is not MCP.' },
  upstream_broken: { http: 502, retry: false, sentence: 'The connection to the upstream server broke; whether it executed the call is unknown.' },
  result_invalid: { http: 502, retry: false, sentence: "The call was executed, but its result contradicts the server's own output schema." },
  result_too_large: { http: 502, retry: false, sentence: 'The call was executed, but its result is larger than allowed here.' },
  cancelled: { http: 409, retry: false, sentence: 'The call was cancelled.' },
  input_unavailable: { http: 502, retry: false, sentence: 'The upstream server needs more input, which the client cannot give.' },
  no_longer_waiting: { http: 410, retry: false, sentence: 'The call that this belongs to does not wait for an answer any more; the log says what became of it.' },
  answer_not_kept: { http: 410, retry: false, sentence: 'This call is over and its answer is not kept any more; the log says what became of it.' },
  outcome_being_recorded: { http: 503, retry: false, sentence: 'The call was executed and its outcome is being recorded; do not repeat it.' },
  channel_unavailable: { http: 503, retry: true, sentence: 'The service where this account is cannot be reached right now; try again.' },
  // Configuration and start
  config_invalid: { http: 400, retry: false, sentence: 'The configuration is not valid.' },
  environment_invalid: { http: 500, retry: false, sentence: 'The environment is not valid.' },
  mode_not_available: { http: 500, retry: false, sentence: 'This mode is not part of this version.' },
  already_running: { http: 409, retry: false, sentence: 'Holdfast is already running on this data directory.' },
  not_running: { http: 500, retry: true, sentence: 'No Holdfast is running here.' },
  port_taken: { http: 500, retry: false, sentence: 'The port is in use.' },
  data_not_writable: { http: 500, retry: false, sentence: 'The data directory cannot be written.' },
  data_corrupt: { http: 500, retry: false, sentence: 'The data directory is damaged or not a Holdfast data directory.' },
  database_unavailable: { http: 503, retry: true, sentence: 'The database cannot be reached.' },
  schema_newer: { http: 500, retry: false, sentence: 'The database was written by a newer Holdfast; start that version.' },
  internal: { http: 500, rpc: -32603, retry: false, sentence: 'Something failed inside Holdfast.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof entries;
export const errorCatalogue: Readonly<Record<ErrorCode, ErrorEntry>> = entries;

/** An expected refusal as a value or an exception with its stable code; `detail` names the place and never repeats a value. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    readonly extra?: Readonly<Record<string, unknown>>,
  ) {
    super(detail ?? errorCatalogue[code].sentence);
    this.name = 'Refusal';
  }

  get entry(): ErrorEntry {
    return errorCatalogue[this.code];
  }
}
