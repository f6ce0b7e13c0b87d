import { join } from 'node:path';
import { type HttpSubject, subjectOverHttp } from '../subject/over-http.ts';
import { Subject } from '../subject/subject.ts';
import { overHttp } from './servers.ts';
import { LegacyWire, ModernWire, type SessionOptions, type Wire } from './wire.ts';
import { world, type World } from './world.ts';

export type Era = Wire['era'];
/** The subject in each era over each transport, by its id in the configuration. */
export const UPSTREAMS = { 'http-modern': 'modern', 'http-legacy': 'legacy', 'stdio-modern': 'modern', 'stdio-legacy': 'legacy' } as const satisfies Record<string, Era>;
export type UpstreamId = keyof typeof UPSTREAMS;
export const ERAS: readonly Era[] = ['modern', 'legacy'];
/** Every kind of client with every kind of server. */
export const CROSSINGS = ERAS.flatMap((client) => (Object.keys(UPSTREAMS) as UpstreamId[]).map((upstream) => [client, upstream] as const));
export const MANY_TOOLS = 2_000;

/** More than any spec has under way, so that what asks how things are going finds room. */
const LIMITS = { concurrency: 200 };
const STDIO = join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'e2e', 'subject', 'over-stdio.js');

/** Holdfast with the subject behind it in every way, and `many`, which has thousands of tools. */
export interface SubjectWorld extends World {
  readonly http: Readonly<Record<Era, HttpSubject>>;
  /** A raw client through Holdfast, on the path of one server or on `/mcp`. */
  through(era: Era, upstream?: string, options?: SessionOptions): Promise<Wire>;
  session(upstream?: string, options?: SessionOptions): Promise<LegacyWire>;
  /** A raw client of a server itself, in the server's era. */
  direct(era: Era): Promise<Wire>;
}

export async function subjectWorld(): Promise<SubjectWorld> {
  const http = { modern: await subjectOverHttp(new Subject(), 'modern'), legacy: await subjectOverHttp(new Subject(), 'legacy') };
  const many = await subjectOverHttp(new Subject(MANY_TOOLS), 'legacy');
  const stdio = (id: string, era: Era): object => ({ id, tenant: 'acme', transport: { type: 'stdio', command: process.execPath, args: [STDIO], env: { SUBJECT_ERA: era } }, limits: LIMITS });
  const servers = [overHttp('http-modern', http.modern.url, LIMITS), overHttp('http-legacy', http.legacy.url, LIMITS), stdio('stdio-modern', 'modern'), stdio('stdio-legacy', 'legacy'), overHttp('many', many.url)];
  const w = await world({ config: (base) => ({ ...base, servers }) });
  await w.installation.start();
  const wires: Wire[] = [];
  const kept = <T extends Wire>(wire: T): T => {
    wires.push(wire);
    return wire;
  };
  const url = (upstream?: string): string => `${w.installation.url}/mcp${upstream === undefined ? '' : `/s/${upstream}`}`;
  const session = async (upstream?: string, options?: SessionOptions): Promise<LegacyWire> => kept(await LegacyWire.open(url(upstream), w.agentToken, options));
  return {
    ...w,
    http,
    session,
    through: async (era, upstream, options) => (era === 'modern' ? kept(new ModernWire(url(upstream), w.agentToken)) : session(upstream, options)),
    direct: async (era) => kept(era === 'modern' ? new ModernWire(http.modern.url) : await LegacyWire.open(http.legacy.url)),
    close: async () => {
      await Promise.all(wires.map((wire) => wire.close()));
      await w.close();
      await Promise.all([http.modern, http.legacy, many].map((one) => one.close()));
    },
  };
}

export const textOf = (reply: { answer: { result?: unknown } }): string => (reply.answer.result as { content: { text: string }[] }).content[0]!.text;

/** The tool call that everybody makes. */
export const tool = (wire: Wire, name: string, args?: Readonly<Record<string, unknown>>, options?: Parameters<Wire['request']>[2]): ReturnType<Wire['request']> =>
  wire.request('tools/call', args === undefined ? { name } : { name, arguments: args }, options);

/** Asks the subject whether something has happened there, or all of several things. */
export const happened = async (wire: Wire, ...what: readonly string[]): Promise<boolean> => {
  const seen = new Set(JSON.parse(textOf(await tool(wire, 'seen', {}))) as string[]);
  return what.every((one) => seen.has(one));
};

/** What a server said, without the members that belong to an era, to one hop, or to Holdfast. */
export function plain(value: unknown): unknown {
  const { resultType: _, ttlMs: _ttl, cacheScope: _scope, _meta, ...rest } = value as Record<string, unknown>;
  const own = Object.entries((_meta ?? {}) as object).filter(([key]) => !key.startsWith('dev.holdfast/') && !key.startsWith('io.modelcontextprotocol/'));
  return own.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(own) };
}
