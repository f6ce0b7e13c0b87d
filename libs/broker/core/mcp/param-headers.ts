/**
 * `Mcp-Param-*` headers of the 2026 era: a tool's input schema may mark properties with `x-mcp-header`, and a call then repeats their
 * values in headers, so that proxies can route without reading bodies. Incoming ones must agree with the body; outgoing ones are made.
 */
export interface ParamHeader {
  readonly path: readonly string[];
  /** Lower case, complete. */
  readonly header: string;
  readonly numeric: boolean;
}

const PREFIX = 'mcp-param-';
const MARK = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;
const MAX_HEADERS = 50;
const MAX_DEPTH = 16;

/** The marked properties, found through `properties` only; marks elsewhere or on other types mean nothing. */
export function paramHeaders(inputSchema: unknown): readonly ParamHeader[] {
  const found: ParamHeader[] = [];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isObject(node) || path.length > MAX_DEPTH || found.length >= MAX_HEADERS) return;
    const mark = node[MARK];
    const type = node['type'];
    if (
      path.length > 0 &&
      typeof mark === 'string' &&
      TOKEN.test(mark) &&
      (type === 'string' || type === 'integer' || type === 'boolean' || type === 'number')
    ) {
      found.push({ path, header: PREFIX + mark.toLowerCase(), numeric: type === 'integer' || type === 'number' });
    }
    const properties = node['properties'];
    if (isObject(properties)) for (const key of Object.keys(properties)) visit(properties[key], [...path, key]);
  };
  visit(inputSchema, []);
  return found;
}

/** The header that contradicts the arguments or is missing beside them; undefined when all agree. */
export function mismatchedParamHeader(
  declared: readonly ParamHeader[],
  args: unknown,
  header: (name: string) => string | undefined,
): string | undefined {
  for (const { path, header: name, numeric } of declared) {
    const value = valueAt(args, path);
    const expected = headerText(value);
    if (expected === undefined) continue;
    const raw = header(name);
    const given = raw === undefined ? undefined : decodeHeader(raw);
    if (given === undefined) return name;
    const equal = numeric && typeof value === 'number' && DECIMAL.test(given) ? Number(given) === value : given === expected;
    if (!equal) return name;
  }
  return undefined;
}

/** The headers to send beside a call. */
export function outgoingParamHeaders(declared: readonly ParamHeader[], args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { path, header } of declared) {
    const text = headerText(valueAt(args, path));
    if (text !== undefined) headers[header] = encodeHeader(text);
  }
  return headers;
}

const OPEN = '=?base64?';
const CLOSE = '?=';
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A value as header text: as it is where a header can hold it, in the base64 form of the protocol otherwise. */
export function encodeHeader(text: string): string {
  const plain = PLAIN.test(text) && !(text.startsWith(OPEN) && text.endsWith(CLOSE));
  return plain ? text : `${OPEN}${Buffer.from(text).toString('base64')}${CLOSE}`;
}

/** Undefined when the base64 form is damaged. */
export function decodeHeader(value: string): string | undefined {
  const text = value.trim();
  if (!text.startsWith(OPEN) || !text.endsWith(CLOSE) || text.length < OPEN.length + CLOSE.length) return text;
  const encoded = text.slice(OPEN.length, -CLOSE.length);
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded).equals(bytes) ? decoded : undefined;
}

function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return String(value);
  return undefined;
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let node = root;
  for (const key of path) {
    if (!isObject(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
