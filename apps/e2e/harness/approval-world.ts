import type { ApprovalView, Opened, Rights } from '#libs/approvals/core';
import { type Installation, newKey, type TestKey } from './holdfast.ts';
import { until } from './until.ts';
import { world, type World } from './world.ts';

type Shown = ApprovalView & { readonly rights: Rights; readonly opened: Opened | null };

export interface HttpAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** One person at the HTTP API. */
export class ApiPerson {
  constructor(
    private readonly installation: Installation,
    readonly token: string,
  ) {}

  async request<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<HttpAnswer<T>> {
    const response = await fetch(`${this.installation.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  decide(id: string, verdict: 'approve' | 'deny', version: number, more: Readonly<Record<string, unknown>> = {}): Promise<HttpAnswer<Record<string, unknown>>> {
    return this.request('POST', `/approvals/${id}/decisions`, { verdict, version, ...more });
  }

  show(id: string): Promise<HttpAnswer<Shown>> {
    return this.request('GET', `/approvals/${id}`);
  }

  list(query = ''): Promise<HttpAnswer<{ readonly items: readonly ApprovalView[]; readonly next: string | null }>> {
    return this.request('GET', `/approvals?${query}`);
  }
}

export interface ApprovalWorld extends World {
  /** Someone by user id. */
  as(user: string): ApiPerson;
  /** Waits until so many calls are held, and gives them, newest first. */
  waiting(count: number): Promise<readonly ApprovalView[]>;
  /** Everybody the flow asks approves, step by step. */
  approve(id: string): Promise<void>;
}

const PEOPLE: readonly Pick<TestKey, 'user' | 'roles'>[] = [
  { user: 'grace', roles: ['approver'] },
  { user: 'edsger', roles: ['approver'] },
  { user: 'alan', roles: ['approver'] },
  { user: 'oscar', roles: ['operator'] },
];

/** {@link world} with people: `wit__write` needs grace, then edsger; ada asks, oscar operates, barbara audits. */
export async function approvalWorld(options: { readonly flow?: Readonly<Record<string, unknown>>; readonly config?: (base: Record<string, unknown>) => Record<string, unknown>; readonly env?: Readonly<Record<string, string>> } = {}): Promise<ApprovalWorld> {
  const keys = new Map(PEOPLE.map(({ user, roles }) => [user, newKey({ id: `${user}-key`, tenant: 'acme', user, client: 'console', roles })]));
  const ada = newKey({ id: 'ada-key', tenant: 'acme', user: 'ada', client: 'console', roles: ['approver'] });
  const configure = (base: Record<string, unknown>): Record<string, unknown> => {
    const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
    const people = PEOPLE.map(({ user, roles }) => ({ id: user, tenant: 'acme', email: `${user}@acme.test`, roles, groups: roles.includes('approver') ? ['approvers'] : [] }));
    const own = {
      ...base,
      identity: { users: [...identity.users, ...people], keys: [...identity.keys, ada.entry, ...[...keys.values()].map(({ entry }) => entry)] },
      policies: [
        { id: 'all', tenant: 'acme', effect: 'allow' },
        { id: 'writes', tenant: 'acme', effect: 'require_approval', match: { tools: ['write'] }, flow: 'two', reason: 'Two people look at every write.' },
      ],
      flows: [
        {
          id: 'two',
          tenant: 'acme',
          steps: [
            { name: 'first', approvers: { users: ['grace', 'alan'] } },
            { name: 'second', approvers: { users: ['edsger'] } },
          ],
          breakGlass: { users: ['oscar'] },
          ...options.flow,
        },
      ],
    };
    return options.config ? options.config(own) : own;
  };
  const w = await world({ config: configure, ...(options.env === undefined ? {} : { env: options.env }) });
  const as = (user: string): ApiPerson => {
    const token = user === 'ada' ? ada.token : user === 'barbara' ? w.auditorToken : keys.get(user)!.token;
    return new ApiPerson(w.installation, token);
  };
  const held = async (): Promise<readonly ApprovalView[]> => (await as('oscar').list('state=held&limit=500')).body.items;
  return {
    ...w,
    as,
    waiting: async (count) => {
      await until('calls are held', async () => (await held()).length >= count);
      return held();
    },
    approve: async (id) => {
      for (const user of ['grace', 'edsger']) {
        const { version } = (await as(user).show(id)).body;
        const { status, body } = await as(user).decide(id, 'approve', version);
        if (status !== 200) throw new Error(`${user} could not approve: ${JSON.stringify(body)}`);
      }
    },
  };
}
