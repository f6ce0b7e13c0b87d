export { Broker, type BrokerDependencies, type BrokerLimits } from './broker.ts';
export type { CallInFlight, CallsInFlight } from './call/calls-in-flight.ts';
export { type ArgumentProblem, ArgumentValidator, Freshness } from './call/ports.ts';
export { ApiKeys } from './identity/api-keys.ts';
export { type DeniedAuthentication, DeniedAuthentications } from './identity/denied-authentications.ts';
export { Hosts } from './identity/hosts.ts';
export type { HeaderOf } from './mcp/classify.ts';
export { type Channel, NO_CHANNEL } from './mcp/channel.ts';
export type { McpEndpoint } from './mcp/endpoint.ts';
export type { McpRequest } from './mcp/exchange.ts';
export { memberText, withMember, withoutMember } from './mcp/json-text.ts';
export { encodeHeader } from './mcp/param-headers.ts';
export { errorReply, type McpReply } from './mcp/reply.ts';
export { SessionSealer } from './mcp/sessions.ts';
export {
  isModern,
  isObject,
  type JsonObject,
  LEGACY_VERSIONS,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  META_SERVER_INFO,
  MODERN_VERSION,
} from './mcp/protocol.ts';
export {
  type CompiledCondition,
  CONDITION_VARIABLES,
  type ConditionCompilation,
  Conditions,
  type ConditionVariables,
  type VariableType,
} from './policy/conditions.ts';
export { compilePolicySet, type PolicyCompiler, type PolicySet } from './policy/policy-set.ts';
export { couldBeAllowed, decide, type Decision, type DecisionInput } from './policy/decide.ts';
export { compileRegistry, type Registry } from './registry/registry.ts';
export { Cancellation, type CancelReason } from './call/cancellation.ts';
export {
  type Definition,
  type ListKind,
  LISTS,
  type PeerAnswer,
  type PeerRequest,
  type ToolDefinition,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamDescription,
  type UpstreamListener,
  type UpstreamServer,
  Upstreams,
  UpstreamUnavailable,
} from './upstream/upstreams.ts';
