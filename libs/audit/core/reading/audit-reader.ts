import type { HoldfastEvent } from '#libs/contracts';
import type { CallRow } from '../calls/call-row.ts';
import type { Finding } from '../projection/finding.ts';
import type { LogReading } from '../verify/log-reading.ts';

export interface CallFilter {
  readonly user?: string;
  readonly client?: string;
  readonly agent?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly class?: string;
  readonly outcome?: string;
  readonly decision?: string;
  readonly state?: string;
  readonly run?: string;
  /** Instants; from is inclusive, to is not. */
  readonly from?: string;
  readonly to?: string;
}

export interface EventFilter {
  readonly type?: string;
  readonly from?: string;
  readonly to?: string;
}

/** A page and where the next one begins; `next` is stable, whatever is appended in the meantime. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

export interface LoggedEvent {
  readonly index: number;
  /** base64url leaf hash. */
  readonly leaf: string;
  readonly event: HoldfastEvent | null;
}

export interface CallWithTimeline {
  readonly call: CallRow;
  readonly timeline: readonly LoggedEvent[];
}

/** Reads the audit tables for people, one tenant at a time. A cursor that is none of ours is refused as `request_invalid`. */
export interface AuditReader {
  /** Newest first. */
  calls(tenant: string, filter: CallFilter, page: PageRequest): Promise<Page<CallRow>>;
  call(tenant: string, id: string): Promise<CallWithTimeline | null>;
  /**
   * In log order. With a filter a page may hold fewer events than asked for and still have a next one: how far one request looks is
   * bounded.
   */
  events(tenant: string, filter: EventFilter, page: PageRequest): Promise<Page<LoggedEvent>>;
  findings(tenant: string, page: PageRequest): Promise<Page<Finding>>;
  /** Runs a reading of the log as it is at one moment; the projector goes on meanwhile. */
  atOneMoment<T>(tenant: string, read: (log: LogReading) => Promise<T>): Promise<T>;
}
export const AuditReader = Symbol('AuditReader');

export const MAX_PAGE = 500;
export const DEFAULT_PAGE = 50;
