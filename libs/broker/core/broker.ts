import type { HoldfastConfig, KeyConfig } from '#libs/contracts';
import type { Approvals, Clock, Ids, Peers, Recorder, Sha256 } from '#libs/ports';
import { Calls } from './call/calls.ts';
import { CallsInFlight } from './call/calls-in-flight.ts';
import type { ArgumentValidator, Freshness } from './call/ports.ts';
import { ApiKeys } from './identity/api-keys.ts';
import { McpEndpoint } from './mcp/endpoint.ts';
import { Sessions, type SessionSealer } from './mcp/sessions.ts';
import type { Conditions } from './policy/conditions.ts';
import { compileRegistry, type Registry } from './registry/registry.ts';
import { Directory } from './registry/directory.ts';
import type { UpstreamServer, Upstreams } from './upstream/upstreams.ts';

export interface BrokerDependencies {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sha256: Sha256;
  readonly conditions: Conditions;
  readonly validator: ArgumentValidator;
  readonly freshness: Freshness;
  readonly upstreams: Upstreams;
  readonly peers: Peers;
  readonly approvals: Approvals;
  readonly sessions: SessionSealer;
  /** Calls back after a while; the returned function cancels. */
  readonly timer: (ms: number, callback: () => void) => () => void;
  /** What clients see as the server's name and version. */
  readonly serverInfo: { readonly name: string; readonly version: string };
  /** A fault of Holdfast itself, for the operators' log; `call` when one was concerned. */
  readonly onFault: (error: unknown, call?: string) => void;
  readonly onUpstreamUnavailable: (server: UpstreamServer, error: unknown) => void;
  readonly limits?: Partial<BrokerLimits>;
}

export interface BrokerLimits {
  readonly maxInFlight: number;
  readonly admissionTimeoutMs: number;
  readonly outcomeTimeoutMs: number;
}

const DEFAULT_LIMITS: BrokerLimits = { maxInFlight: 4_096, admissionTimeoutMs: 5_000, outcomeTimeoutMs: 5_000 };

/** The broker of one process: everything between an authenticated HTTP request and the upstream servers. */
export class Broker {
  readonly keys: ApiKeys;
  readonly mcp: McpEndpoint;
  readonly inFlight: CallsInFlight;
  private readonly directory: Directory;
  private registry: Registry = { revision: 0, tenants: new Map(), upstreamKeys: new Set() };

  constructor(private readonly deps: BrokerDependencies) {
    const { recorder, clock, ids, serverInfo } = deps;
    const limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.keys = new ApiKeys(deps.sha256, clock);
    this.inFlight = new CallsInFlight(limits.maxInFlight);
    this.directory = new Directory(deps.upstreams, clock, deps.onUpstreamUnavailable);
    this.mcp = new McpEndpoint({
      registry: () => this.registry,
      directory: this.directory,
      upstreams: deps.upstreams,
      inFlight: this.inFlight,
      peers: deps.peers,
      calls: new Calls({ ...deps, ...limits, digest: this.digest, inFlight: this.inFlight, stands: (principal) => this.keys.stands(principal) }),
      approvals: deps.approvals,
      sessions: new Sessions(deps.sessions, this.digest),
      sealer: deps.sessions,
      timer: deps.timer,
      digest: this.digest,
      recorder,
      clock,
      ids,
      serverInfo,
      recordTimeoutMs: limits.admissionTimeoutMs,
      callerNow: (principal) => this.keys.now(principal),
      onFault: deps.onFault,
    });
    deps.upstreams.listen(this.mcp.events);
  }

  /** The configuration revision that calls are judged by. */
  get revision(): number {
    return this.registry.revision;
  }

  /**
   * Puts a configuration in force, all of it at once; calls under way end under the one they began with. Throws Refusal
   * `config_invalid` and changes nothing when its policy does not compile. `moreKeys` are keys that stand in no file.
   */
  use(config: HoldfastConfig, revision: number, moreKeys: readonly KeyConfig[] = []): void {
    const registry = this.compile(config, revision);
    this.registry = registry;
    this.keys.use(config, moreKeys);
    this.directory.retain(registry.upstreamKeys);
    this.deps.upstreams.retain(registry.upstreamKeys);
    this.mcp.listening.review((principal) => this.keys.stands(principal));
    this.mcp.start();
    this.mcp.events.configurationChanged(({ tenant, id }) => registry.tenants.get(tenant)?.servers.find(({ facts }) => facts.id === id)?.upstream);
  }

  /** Throws as {@link use} would, and changes nothing: for checking a configuration before it is accepted. */
  check(config: HoldfastConfig): void {
    this.compile(config, 0);
  }

  /** No more calls from now on; those in flight go on until `inFlight.idle()`, or get an unknown outcome by `inFlight.abort()`. */
  stop(): void {
    this.inFlight.close();
    this.mcp.close();
  }

  private readonly digest = (text: string): string => Buffer.from(this.deps.sha256(text)).toString('base64url');

  private compile(config: HoldfastConfig, revision: number): Registry {
    return compileRegistry(config, revision, { conditions: this.deps.conditions, digest: this.digest });
  }
}
