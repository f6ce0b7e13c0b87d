type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Whether Slack would take these blocks: its bounds, and what it asks of each kind. A sentence when it would not. */
export function whyRefused(blocks: unknown): string | null {
  const all = list(blocks).map(record);
  if (all.length > 50) return 'more than 50 blocks';
  for (const block of all) {
    const wrong = blockProblem(block);
    if (wrong !== null) return `${String(block['type'])}: ${wrong}`;
  }
  return null;
}

function blockProblem(block: Json): string | null {
  switch (block['type']) {
    case 'header':
      return textProblem(block['text'], 150, true);
    case 'section': {
      const fields = list(block['fields']);
      if (block['text'] === undefined && fields.length === 0) return 'neither text nor fields';
      if (fields.length > 10) return 'more than 10 fields';
      const accessory = block['accessory'] === undefined ? null : buttonProblem(record(block['accessory']));
      return (block['text'] === undefined ? null : textProblem(block['text'], 3_000)) ?? first(fields, (field) => textProblem(field, 2_000)) ?? accessory;
    }
    case 'context':
      return list(block['elements']).length > 10 ? 'more than 10 elements' : first(list(block['elements']), (element) => textProblem(element, 3_000));
    case 'actions': {
      const elements = list(block['elements']).map(record);
      if (elements.length === 0 || elements.length > 25) return 'needs 1 to 25 elements';
      const ids = elements.map((element) => element['action_id']);
      if (new Set(ids).size !== ids.length) return 'an action_id twice';
      return first(elements, (element) => buttonProblem(record(element)));
    }
    case 'input': {
      const element = record(block['element']);
      if (element['type'] !== 'plain_text_input') return 'an element that is not known here';
      if (Number(element['max_length'] ?? 0) > 3_000) return 'max_length above 3000';
      if (lengthOf(element['initial_value']) > 3_000) return 'initial_value too long';
      return textProblem(block['label'], 2_000, true);
    }
    default:
      return 'not known here';
  }
}

function buttonProblem(element: Json): string | null {
  if (element['type'] !== 'button') return 'an element that is not known here';
  if (lengthOf(element['value']) > 2_000) return 'value too long';
  if (lengthOf(element['url']) > 3_000) return 'url too long';
  return lengthOf(element['action_id']) > 255 ? 'action_id too long' : textProblem(element['text'], 75, true);
}

function textProblem(value: unknown, max: number, plain = false): string | null {
  const { type, text } = record(value);
  if (type !== 'plain_text' && (plain || type !== 'mrkdwn')) return 'a text of a type that is not allowed';
  if (typeof text !== 'string' || text.length === 0) return 'an empty text';
  return text.length > max ? `a text of more than ${max} characters` : null;
}

function first(values: readonly unknown[], problem: (value: unknown) => string | null): string | null {
  for (const value of values) {
    const found = problem(value);
    if (found !== null) return found;
  }
  return null;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}
