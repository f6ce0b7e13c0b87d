import { type CallToolResult, CLIENT_CAPABILITIES_META_KEY, type ClientCapabilities, inputRequired, type InputRequests, type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addFormTools } from './form-tools.ts';
import { answeredModel, answeredRoots, answeredText, ask, askModel, askText } from './input-requests.ts';
import { type RequestState, requestStates } from './request-states.ts';

const done = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });

/**
 * Tools that need something of the client: a person, its model, its roots. They are written once, as rounds that return what is missing;
 * in the legacy era the SDK asks for it while the call runs.
 */
export function addInputTools(server: McpServer): void {
  addFormTools(server);

  server.registerTool('test_sampling', { description: 'Asks the model of the client.', inputSchema: z.object({ prompt: z.string() }) }, ({ prompt }, { mcpReq }) => {
    const answer = answeredModel(mcpReq.inputResponses, 'answer');
    return answer === undefined ? inputRequired({ inputRequests: { answer: askModel(prompt) } }) : done(`LLM response: ${answer}`);
  });

  server.registerTool('test_input_required_result_elicitation', { description: 'Asks for a name.' }, ({ mcpReq }) => {
    const name = answeredText(mcpReq.inputResponses, 'user_name', 'name');
    return name === undefined ? inputRequired({ inputRequests: { user_name: askText('What is your name?', 'name') } }) : done(`Hello, ${name}!`);
  });

  server.registerTool('test_streaming_elicitation', { description: 'Asks for a confirmation.' }, ({ mcpReq }) => {
    const ok = answeredText(mcpReq.inputResponses, 'confirmation', 'ok');
    return ok === undefined ? inputRequired({ inputRequests: { confirmation: askText('Please confirm', 'ok') } }) : done(`Confirmed: ${ok}`);
  });

  server.registerTool('test_input_required_result_sampling', { description: 'Asks the model for a capital.' }, ({ mcpReq }) => {
    const capital = answeredModel(mcpReq.inputResponses, 'capital_question');
    return capital === undefined ? inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?') } }) : done(capital);
  });

  server.registerTool('test_input_required_result_list_roots', { description: 'Asks for the roots.' }, ({ mcpReq }) => {
    const roots = answeredRoots(mcpReq.inputResponses, 'client_roots');
    return roots === undefined ? inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }) : done(`Roots: ${roots.join(', ')}`);
  });

  // The SDK turns the question away when the client has not declared that it can answer it.
  server.registerTool('test_missing_capability', { description: 'Cannot run for a client without a model.' }, ({ mcpReq }) => {
    const answer = answeredModel(mcpReq.inputResponses, 'answer');
    return answer === undefined ? inputRequired({ inputRequests: { answer: askModel('Are you there?') } }) : done(answer);
  });

  server.registerTool('test_input_required_result_capabilities', { description: 'Asks for whatever the client can give.' }, (context) => {
    const { inputResponses } = context.mcpReq;
    if (inputResponses !== undefined && Object.keys(inputResponses).length > 0) return done(`Answered: ${Object.keys(inputResponses).join(', ')}`);
    const { elicitation, sampling, roots } = capabilities(server, context);
    const inputRequests: InputRequests = {
      ...(elicitation && { user_name: askText('What is your name?', 'name') }),
      ...(sampling && { greeting: askModel('Generate a greeting', 50) }),
      ...(roots && { client_roots: inputRequired.listRoots() }),
    };
    return Object.keys(inputRequests).length === 0 ? done('The client can give nothing') : inputRequired({ inputRequests });
  });

  addRounds(server);
}

/** Tools whose conversation has a state, which the client carries from round to round. */
function addRounds(server: McpServer): void {
  const confirm = ask('Please confirm', { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] });
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    server.registerTool(name, { description: 'Asks for a confirmation and recognises its own state.' }, async ({ mcpReq }) => {
      if (mcpReq.requestState<RequestState>()?.round === 1 && mcpReq.inputResponses?.['confirm'] !== undefined) return done('state-ok');
      return inputRequired({ inputRequests: { confirm }, requestState: await requestStates.mint({ round: 1 }) });
    });
  }

  server.registerTool('test_input_required_result_multiple_inputs', { description: 'Asks a person, the model and for the roots at once.' }, async ({ mcpReq }) => {
    const name = answeredText(mcpReq.inputResponses, 'user_name', 'name');
    const greeting = answeredModel(mcpReq.inputResponses, 'greeting');
    const roots = answeredRoots(mcpReq.inputResponses, 'client_roots');
    if (name !== undefined && greeting !== undefined && roots !== undefined) return done(`${greeting} ${name}, you have ${roots.length} roots`);
    return inputRequired({
      inputRequests: { user_name: askText('What is your name?', 'name'), greeting: askModel('Generate a greeting', 50), client_roots: inputRequired.listRoots() },
      requestState: await requestStates.mint({ round: 1 }),
    });
  });

  server.registerTool('test_input_required_result_multi_round', { description: 'Asks for a name, then for a colour.' }, async ({ mcpReq }) => {
    const state = mcpReq.requestState<RequestState>();
    const name = answeredText(mcpReq.inputResponses, 'step1', 'name') ?? state?.name;
    if (name === undefined) return inputRequired({ inputRequests: { step1: askText('Step 1: What is your name?', 'name') }, requestState: await requestStates.mint({ round: 1 }) });
    const color = answeredText(mcpReq.inputResponses, 'step2', 'color');
    if (color !== undefined) return done(`${name} likes ${color}`);
    return inputRequired({ inputRequests: { step2: askText('Step 2: What is your favorite color?', 'color') }, requestState: await requestStates.mint({ round: 2, name }) });
  });
}

/** What the client declared: with the request in the modern era, with the session in the legacy one. */
function capabilities(server: McpServer, { mcpReq }: ServerContext): ClientCapabilities {
  const declared = (mcpReq.envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  // oxlint-disable-next-line typescript/no-deprecated -- the only place where a legacy session keeps them
  return (declared as ClientCapabilities | undefined) ?? server.server.getClientCapabilities() ?? {};
}
