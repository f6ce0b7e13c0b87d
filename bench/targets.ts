import { extname, join } from 'node:path';
import { startChild } from './child.ts';
import { ConfigurationRefused, type HoldfastUnderTest, startHoldfast, type Transport } from './holdfast.ts';
import type { LoadTarget } from './load.ts';
import { type Combination, serverOf } from './matrix.ts';
import type { TargetName } from './report.ts';

/** Something that answers calls, and the processes whose CPU and memory count as its own. */
export interface Target {
  readonly name: TargetName;
  readonly url: string;
  readonly tool: string;
  readonly token?: string;
  readonly roots: readonly number[];
  readonly holdfast?: HoldfastUnderTest;
}

/** The stdio upstream as a part of whoever started it, see process-tree.ts. */
export const UPSTREAM_PART = 'echo-stdio';
const ECHO_STDIO = join(import.meta.dirname, UPSTREAM_PART + extname(import.meta.filename));

/** Where the calls of one combination go on a target. */
export function loadOn({ url, tool, token }: Target, { delayMs, era }: Combination): LoadTarget {
  return { url, tool, era, ...(token !== undefined && { token }), ...(delayMs > 0 && { more: { delayMs } }) };
}

/** Everything that is measured, started once for the whole run: upstreams, the relays in front of them, and one Holdfast for all. */
export class Targets {
  holdfast: HoldfastUnderTest | undefined;
  private readonly stops: (() => Promise<void>)[] = [];
  private readonly targets = new Map<string, Target[]>();

  of(combination: Combination): readonly Target[] {
    return this.targets.get(serverOf(combination)) ?? [];
  }

  /** Returns what cannot be measured, and why. */
  async start(only: readonly TargetName[], combinations: readonly Combination[]): Promise<string[]> {
    const servers: Record<string, Transport> = {};
    const kinds = new Map(combinations.map((combination) => [serverOf(combination), combination]));
    for (const [id, kind] of kinds) {
      this.targets.set(id, []);
      servers[id] = kind.upstream === 'http' ? await this.startHttp(id, kind, only) : await this.startStdio(id, kind, only);
    }
    return only.includes('holdfast') ? this.startHoldfast(servers) : [];
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop();
  }

  private async startHttp(id: string, { era }: Combination, only: readonly TargetName[]): Promise<Transport> {
    const upstream = await startChild('echo-upstream', era === 'modern' ? ['--modern'] : []);
    this.stops.push(upstream.stop);
    const url = `http://127.0.0.1:${upstream.port}/mcp`;
    if (only.includes('direct')) this.add(id, { name: 'direct', url, tool: 'echo', roots: [upstream.pid] });
    if (only.includes('relay')) await this.startRelay(id, 'bare-relay', [url]);
    return { type: 'http', url };
  }

  /** The relay starts a child of its own: a stdio server serves whoever holds its pipes, and nobody else. */
  private async startStdio(id: string, { era }: Combination, only: readonly TargetName[]): Promise<Transport> {
    const args = [...process.execArgv, ECHO_STDIO, ...(era === 'modern' ? ['--modern'] : [])];
    if (only.includes('relay')) await this.startRelay(id, 'bare-stdio-relay', [process.execPath, ...args]);
    return { type: 'stdio', command: process.execPath, args };
  }

  private async startRelay(id: string, script: string, args: readonly string[]): Promise<void> {
    const relay = await startChild(script, args);
    this.stops.push(relay.stop);
    this.add(id, { name: 'relay', url: `http://127.0.0.1:${relay.port}/mcp`, tool: 'echo', roots: [relay.pid] });
  }

  private async startHoldfast(servers: Readonly<Record<string, Transport>>): Promise<string[]> {
    let served = servers;
    const skipped: string[] = [];
    try {
      this.holdfast = await startHoldfast(served);
    } catch (error) {
      served = Object.fromEntries(Object.entries(servers).filter(([, { type }]) => type !== 'stdio'));
      if (!(error instanceof ConfigurationRefused) || Object.keys(served).length === Object.keys(servers).length) throw error;
      skipped.push(`Holdfast with a stdio upstream, because it does not start with one: ${error.message}`);
      if (Object.keys(served).length === 0) return skipped;
      this.holdfast = await startHoldfast(served);
    }
    const { url, token, roots, stop } = this.holdfast;
    this.stops.push(stop);
    for (const id of Object.keys(served)) this.add(id, { name: 'holdfast', url, token, tool: `${id}__echo`, roots, holdfast: this.holdfast });
    return skipped;
  }

  private add(id: string, target: Target): void {
    this.targets.get(id)!.push(target);
  }
}
