import type { DataSource, EntityManager } from 'typeorm';
import type { LinkOffer, SlackLink, SlackLinks } from '#libs/approvals/core';
import type { EventDraft } from '#libs/contracts';
import type { PostgresOutbox } from './postgres-outbox.ts';

interface OfferRow {
  readonly tenant: string;
  readonly team: string;
  readonly account: string;
  readonly digest: string;
  readonly expires_at: string;
}

interface Change {
  readonly tenant: string;
  readonly team: string;
  readonly via: 'api' | 'console';
  readonly at: number;
  /** Who changes it. */
  readonly by: string;
}

/** {@link SlackLinks} in the operational database. What changes who an account is stages its events in the same transaction. */
export class PostgresSlackLinks implements SlackLinks {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: PostgresOutbox,
    private readonly uuid: () => string,
  ) {}

  async personOf(tenant: string, team: string, account: string): Promise<string | null> {
    const [row] = (await this.database.query('select person from state.slack_link where tenant = $1 and team = $2 and account = $3', [tenant, team, account])) as { person: string }[];
    return row?.person ?? null;
  }

  async accountOf(tenant: string, team: string, person: string): Promise<string | null> {
    const [row] = (await this.database.query('select account from state.slack_link where tenant = $1 and team = $2 and person = $3', [tenant, team, person])) as { account: string }[];
    return row?.account ?? null;
  }

  async offer({ tenant, team, account, digest, expiresAt }: LinkOffer): Promise<void> {
    await this.database.query(
      `insert into state.slack_link_offer (tenant, team, account, digest, expires_at) values ($1, $2, $3, $4, $5)
       on conflict (tenant, team, account) do update set digest = excluded.digest, expires_at = excluded.expires_at`,
      [tenant, team, account, digest, expiresAt],
    );
  }

  async offered(digest: string, now: number): Promise<LinkOffer | null> {
    const [row] = (await this.database.query('select tenant, team, account, digest, expires_at from state.slack_link_offer where digest = $1 and expires_at > $2', [digest, now])) as OfferRow[];
    return row ? { tenant: row.tenant, team: row.team, account: row.account, digest: row.digest, expiresAt: Number(row.expires_at) } : null;
  }

  accept(digest: string, person: string, via: 'api' | 'console', now: number): Promise<SlackLink | null> {
    return this.database.transaction(async (transaction) => {
      // Whoever takes the row away has taken the offer up; a second one finds none.
      const [offer] = (await transaction.query(
        `with taken as (delete from state.slack_link_offer where digest = $1 returning tenant, team, account, expires_at)
         select tenant, team, account from taken where expires_at > $2`,
        [digest, now],
      )) as Pick<OfferRow, 'tenant' | 'team' | 'account'>[];
      if (!offer) return null;
      const { tenant, team, account } = offer;
      const change: Change = { tenant, team, via, at: now, by: person };
      const ended = await this.remove(transaction, change, 'account = $3 or person = $4', [account, person]);
      await transaction.query('insert into state.slack_link (tenant, team, account, person, linked_at) values ($1, $2, $3, $4, $5)', [tenant, team, account, person, now]);
      await this.outbox.stage(transaction, [...ended, this.event('auth.account_linked', change, account, person)]);
      return { tenant, team, account, person };
    });
  }

  end(tenant: string, team: string, person: string, via: 'api' | 'console', now: number): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const ended = await this.remove(transaction, { tenant, team, via, at: now, by: person }, 'person = $3', [person]);
      await this.outbox.stage(transaction, ended);
      return ended.length > 0;
    });
  }

  private async remove(transaction: EntityManager, change: Change, which: string, values: readonly string[]): Promise<EventDraft[]> {
    const rows = (await transaction.query(
      `with ended as (delete from state.slack_link where tenant = $1 and team = $2 and (${which}) returning account, person) select account, person from ended order by account`,
      [change.tenant, change.team, ...values],
    )) as { account: string; person: string }[];
    return rows.map(({ account, person }) => this.event('auth.account_unlinked', change, account, person));
  }

  private event(type: 'auth.account_linked' | 'auth.account_unlinked', { tenant, team, via, at, by }: Change, account: string, person: string): EventDraft {
    return { type, tenant, actor: { user: by, via }, corr: this.uuid(), links: {}, data: { at, person, provider: 'slack', team }, seal: { '/account': account }, subject: person };
  }
}
