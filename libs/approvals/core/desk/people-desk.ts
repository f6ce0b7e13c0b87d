import { type Actor, canonicalJson, Detector, type ErrorCode, Refusal } from '#libs/contracts';
import type { ArgumentsIdentity, CallIdentity, HeldRequest } from '#libs/ports';
import type { Command, Facts } from '../held/commands.ts';
import { decide } from '../held/decide.ts';
import type { Status, Vote } from '../held/state.ts';
import type { ApprovalDeskDependencies } from './approval-desk.ts';
import { type ApprovalView, askedNow, type Rights, rightsOf, viewOf } from './approval-view.ts';
import type { StoredApproval } from './approval-store.ts';
import { redact, redactText } from '../redact/redact.ts';
import { applied, changed } from './records.ts';
import { Safe } from './safe.ts';

/** A signed-in person, wherever the word comes from. */
export interface Person {
  readonly tenant: string;
  readonly id: string;
  /** Operates the tenant: may take calls back and end standing approvals. */
  readonly operator: boolean;
  /** May read payloads. */
  readonly auditor: boolean;
  /** Set where it is the key of an agent that has this person's name: its own calls are its business, and not the person's. */
  readonly agent?: Pick<CallIdentity, 'user' | 'client' | 'agent'>;
  readonly via: Actor['via'];
}

export interface Decision {
  readonly approval: string;
  readonly person: string;
  readonly verdict: 'approve' | 'deny';
  readonly step: string;
  readonly at: string;
  /** Of the approval once it was counted. */
  readonly version: number;
  /** As it stands now. */
  readonly status: Status;
  readonly progress: string;
}

export interface Verdict {
  readonly verdict: 'approve' | 'deny';
  readonly reason?: string;
  /** Of the approval as the person saw it. */
  readonly version: number;
  readonly editedArgs?: Readonly<Record<string, unknown>>;
}

export interface Listing {
  readonly statuses?: readonly Status[];
  /** Only what waits for this person now. */
  readonly mine?: boolean;
  readonly limit: number;
  readonly after?: string;
}

/** What an approval is about; opened for those who decide, who asked, or who may read payloads. */
export interface Opened {
  readonly args: Readonly<Record<string, unknown>> | null;
  /** The agent's, where people put others in their place. */
  readonly originalArgs: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
  readonly run: string | null;
  /** What the agent answers to questions that the server asked before: sent along with the arguments. Null when there is nothing. */
  readonly input: unknown;
  /** How many values policy hides here; {@link PeopleDesk.open} hides none. */
  readonly hidden: number;
}

/** An earlier call of the same agent and tool that people approved and that was executed. */
export interface Precedent {
  readonly id: string;
  readonly at: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface PeopleDeskDependencies extends ApprovalDeskDependencies {
  /** Whether arguments fit the schema of a tool. */
  readonly fits: (hash: string, schema: Readonly<Record<string, unknown>>, args: unknown) => boolean;
}

/** How many pages of held calls are searched at most for those that wait for one person. */
const MOST_PAGES = 20;
/** Who was shown what is remembered, so that looking again is not another event. */
const REMEMBERED = 10_000;

/** What people may do with held calls. Refusals are thrown with the code of why nothing changed. */
export class PeopleDesk {
  private readonly safe: Safe;
  private readonly shown = new Set<string>();

  constructor(private readonly deps: PeopleDeskDependencies) {
    this.safe = new Safe(deps.sealer);
  }

  async list(person: Person, { mine, limit, after, statuses }: Listing): Promise<{ readonly items: readonly ApprovalView[]; readonly next: string | null }> {
    const items: ApprovalView[] = [];
    const own = seesOwnOnly(person);
    let next = after;
    for (let page = 0; page < MOST_PAGES; page++) {
      const found = await this.deps.store.list({ tenant: person.tenant, limit: mine || own ? Math.max(limit, 100) : limit, ...(own ? { requester: person.id } : {}), ...(mine ? { statuses: ['held'] } : statuses ? { statuses } : {}), ...(next === undefined ? {} : { after: next }) });
      const facts = await this.facts(person.tenant);
      for (const stored of found.items) {
        if (mine && (person.agent || !askedNow(stored.state, facts).has(person.id))) continue;
        if (own && !isAsker(person, stored)) continue;
        items.push(viewOf(stored, facts.directory));
        if (items.length === limit) return { items, next: stored === found.items.at(-1) ? found.next : placeOf(stored) };
      }
      if (found.next === null || !(mine || own)) return { items, next: found.next };
      next = found.next;
    }
    return { items, next: next ?? null };
  }

  async show(person: Person, id: string): Promise<{ readonly view: ApprovalView; readonly rights: Rights }> {
    const stored = await this.load(person.tenant, id);
    if (seesOwnOnly(person) && !isAsker(person, stored)) throw new Refusal('approval_not_found');
    const facts = await this.facts(person.tenant);
    const rights = rightsOf(stored, person.id, person.operator, facts);
    return { view: viewOf(stored, facts.directory), rights: person.agent ? { decide: false, breakGlass: false, edit: false, cancel: rights.cancel && (person.operator || isAsker(person, stored)) } : rights };
  }

  /** Opens what is sealed, for those who may see it, and records that they saw it. */
  async open(person: Person, id: string): Promise<Opened> {
    const stored = await this.load(person.tenant, id);
    if (!(await this.maySee(person, stored))) throw new Refusal('forbidden', 'only who decides, who asked, or an auditor sees what is sealed');
    await this.noteShown(person, stored);
    return this.opened(stored);
  }

  private async opened(stored: StoredApproval): Promise<Opened> {
    const { tenant } = stored.state.binding;
    const request: HeldRequest | null = await this.safe.open(tenant, stored.sealed, '/request');
    const edited = stored.state.edits.length === 0 ? null : ((await this.safe.open(tenant, stored.sealed, '/edited')) as Record<string, unknown> | null);
    const original = request?.args ?? null;
    return { args: edited ?? original, originalArgs: edited ? original : null, reason: await this.safe.open(tenant, stored.sealed, '/reason'), run: request?.run ?? null, input: inputOf(request), hidden: 0 };
  }

  /** The same without what policy hides from who only looks. It counts as shown only where nothing is hidden. */
  async look(person: Person, id: string): Promise<Opened> {
    const stored = await this.load(person.tenant, id);
    if (!(await this.maySee(person, stored))) throw new Refusal('forbidden', 'only who decides, who asked, or an auditor sees what is sealed');
    const kinds = await this.hiddenKinds(stored);
    const { args, originalArgs, reason, run, input } = await this.opened(stored);
    const [now, before] = [redact(args, kinds), redact(originalArgs, kinds)] as { readonly value: Opened['args']; readonly hidden: number }[];
    const answered = redact(input, kinds);
    const said = reason === null ? null : redactText(reason, kinds);
    const hidden = now!.hidden + before!.hidden + answered.hidden + (said?.hidden ?? 0);
    if (hidden === 0) await this.noteShown(person, stored);
    return { args: now!.value, originalArgs: before!.value, reason: said?.value ?? null, run, input: answered.value, hidden };
  }

  /** The last one like it, as far as this person may see that one; what policy hides is hidden unless `everything`. */
  async precedent(person: Person, id: string, everything: boolean): Promise<Precedent | null> {
    const { state } = await this.load(person.tenant, id);
    const found = await this.deps.store.lastExecuted(state.binding, state.binding.createdAt);
    if (!found || !(await this.maySee(person, found))) return null;
    const { args } = everything ? await this.open(person, found.state.id) : await this.look(person, found.state.id);
    return args && { id: found.state.id, at: new Date(found.changedAt).toISOString(), args };
  }

  async decide(person: Person, id: string, verdict: Verdict): Promise<Decision> {
    if (verdict.editedArgs !== undefined) return this.edit(person, id, verdict, verdict.editedArgs);
    const { reason, version } = verdict;
    return this.voted(person, id, () => ({ type: 'vote', person: person.id, verdict: verdict.verdict, version, via: person.via, ...(reason === undefined ? {} : { reason }) }));
  }

  async breakGlass(person: Person, id: string, reason: string, version?: number): Promise<ApprovalView> {
    return this.change(person, id, (found) => ({ type: 'break_glass', person: person.id, reason, version: version ?? found.state.version, via: person.via }));
  }

  async cancel(person: Person, id: string, reason?: string): Promise<ApprovalView> {
    if (person.agent && !person.operator && !isAsker(person, await this.load(person.tenant, id))) throw new Refusal('forbidden', 'an agent takes its own calls back');
    return this.change(person, id, () => ({ type: 'cancel', person: person.id, operator: person.operator, via: person.via, ...(reason === undefined ? {} : { reason }) }));
  }

  async delegate(person: Person, id: string, to: string, until: number, step?: string): Promise<ApprovalView> {
    return this.change(person, id, () => ({ type: 'delegate', from: person.id, to, until, via: person.via, ...(step === undefined ? {} : { step }) }));
  }

  private async edit(person: Person, id: string, { verdict, reason, version }: Verdict, value: Readonly<Record<string, unknown>>): Promise<Decision> {
    if (verdict !== 'approve') throw new Refusal('request_invalid', 'editedArgs go with the verdict approve');
    const stored = await this.load(person.tenant, id);
    const { binding } = stored.state;
    if (binding.method === 'resources/read') throw new Refusal('arguments_invalid', 'the address of a resource cannot be edited');
    const args: ArgumentsIdentity = { digest: this.deps.digestOf(canonicalJson(value)), absent: false };
    const valid = stored.inputSchema === null || binding.toolHash === null || this.deps.fits(binding.toolHash, stored.inputSchema, value);
    const sealed = await this.safe.with(person.tenant, binding.user, { '/edited': value }, stored.sealed);
    return this.voted(person, id, () => ({ type: 'edit', person: person.id, args, value, valid, version, via: person.via, ...(reason === undefined ? {} : { reason }) }), sealed);
  }

  private async voted(person: Person, id: string, command: () => Command, sealed?: Uint8Array): Promise<Decision> {
    const { stored, vote } = await this.changed(person, id, command, sealed);
    const { state } = stored;
    const counted: Vote = vote!;
    const { verdict, step, at, version } = counted;
    const view = viewOf(stored, (await this.facts(person.tenant)).directory);
    return { approval: id, person: person.id, verdict, step: state.flow.steps[step]!.name, at: new Date(at).toISOString(), version, status: state.status, progress: view.progress };
  }

  private async change(person: Person, id: string, command: (found: StoredApproval) => Command): Promise<ApprovalView> {
    const { stored } = await this.changed(person, id, command);
    return viewOf(stored, (await this.facts(person.tenant)).directory);
  }

  /** `sealed` takes the place of what was sealed when the command changes something. */
  private async changed(person: Person, id: string, command: (found: StoredApproval) => Command, sealed?: Uint8Array): Promise<{ readonly stored: StoredApproval; readonly vote?: Vote | undefined }> {
    const { store, configurations, clock } = this.deps;
    const done = await configurations.deciding(() =>
      store.change<{ readonly code: ErrorCode } | { readonly stored: StoredApproval; readonly vote?: Vote | undefined }>(person.tenant, id, (found, moment) => {
        const now = clock.now();
        const decided = decide(found.state, command(found), { now, directory: configurations.directory(person.tenant, moment) });
        if (!decided.ok) return { result: { code: decided.code } };
        if (decided.events.length === 0) return { result: { stored: found, vote: decided.vote } };
        const { state, drafts } = applied(found.state, decided.events);
        const next = changed(found, state, now, sealed === undefined ? {} : { sealed });
        return { result: { stored: next, vote: decided.vote }, next, events: drafts };
      }),
    );
    if (!done) throw new Refusal('approval_not_found');
    if ('code' in done.result) throw new Refusal(done.result.code);
    return done.result;
  }

  private async maySee(person: Person, stored: StoredApproval): Promise<boolean> {
    if (person.auditor || isAsker(person, stored)) return true;
    if (person.agent) return false;
    const facts = await this.facts(person.tenant);
    const { state } = stored;
    if (rightsOf(stored, person.id, false, facts).breakGlass) return true;
    const steps = viewOf(stored, facts.directory).steps;
    return steps.some(({ people }) => people.includes(person.id)) || askedNow(state, facts).has(person.id) || state.votes.some((vote) => vote.person === person.id);
  }

  /** What the rule that asked hides, as it stands now; everything we know of where the rule is gone. */
  private async hiddenKinds({ state }: StoredApproval): Promise<readonly Detector[]> {
    const { configurations, store } = this.deps;
    const { tenant } = state.binding;
    const config = await configurations.deciding(async () => configurations.at(await store.moment(tenant)));
    const rule = config.policies.find((policy) => policy.tenant === tenant && policy.id === state.rule);
    return rule ? (rule.obligations?.redact ?? []) : Detector.options;
  }

  private async noteShown(person: Person, stored: StoredApproval): Promise<void> {
    const { id, call, args } = stored.state;
    const key = `${person.tenant} ${person.id} ${id} ${args.digest}`;
    if (this.shown.has(key)) return;
    const data = { at: this.deps.clock.now(), person: person.id, argsDigest: args.digest };
    await this.deps.store.change(person.tenant, id, (found) => ({
      result: null,
      next: found,
      events: [{ type: 'approval.arguments_shown', tenant: person.tenant, actor: { user: person.id, via: person.via }, corr: call, links: { call, approval: id }, data }],
    }));
    if (this.shown.size >= REMEMBERED) this.shown.clear();
    this.shown.add(key);
  }

  private async load(tenant: string, id: string): Promise<StoredApproval> {
    const stored = await this.deps.store.load(tenant, id);
    if (!stored) throw new Refusal('approval_not_found');
    return stored;
  }

  private facts(tenant: string): Promise<Facts> {
    const { store, configurations, clock } = this.deps;
    return configurations.deciding(async () => ({ now: clock.now(), directory: configurations.directory(tenant, await store.moment(tenant)) }));
  }
}

/** The key of an agent shows what that agent asked for, unless it operates or audits the tenant. */
function seesOwnOnly({ agent, operator, auditor }: Person): boolean {
  return agent !== undefined && !operator && !auditor;
}

/** Whether this is who asked for the call: for an agent, with all three identities. */
function isAsker({ id, agent }: Person, { state: { binding } }: StoredApproval): boolean {
  return agent ? agent.user === binding.user && agent.client === binding.client && agent.agent === binding.agent : id === binding.user;
}

function inputOf(request: HeldRequest | null): unknown {
  return (request && (JSON.parse(request.params) as { inputResponses?: unknown }).inputResponses) ?? null;
}

/** Where a page that ended in the middle goes on. */
function placeOf({ createdAt, state }: StoredApproval): string {
  return `${createdAt}.${state.id}`;
}
