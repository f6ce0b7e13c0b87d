import type { McpServer } from '@modelcontextprotocol/server';
import type { Catalogue, ChangingList } from './catalogue.ts';

/** A tool and a prompt that come and go, and the tools that make them do so. Returns what shows the present state of a list. */
export function addChangingEntries(server: McpServer, catalogue: Catalogue): (list: ChangingList) => void {
  const entries = {
    tools: server.registerTool('test_changing_tool', { description: 'Comes and goes.' }, () => ({ content: [{ type: 'text', text: 'Here for now' }] })),
    prompts: server.registerPrompt('test_changing_prompt', { description: 'Comes and goes.' }, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Here for now' } }] })),
  };
  for (const [list, name] of [['tools', 'test_trigger_tool_change'], ['prompts', 'test_trigger_prompt_change']] as const) {
    server.registerTool(name, { description: `Changes the list of ${list}.` }, () => {
      catalogue.toggle(list);
      return { content: [{ type: 'text', text: `The list of ${list} has changed` }] };
    });
  }
  const show = (list: ChangingList): void => (catalogue.has(list) ? entries[list].enable() : entries[list].disable());
  show('tools');
  show('prompts');
  return show;
}
