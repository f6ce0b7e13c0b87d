import { type HoldfastConfig, type KeyConfig, Refusal } from '#libs/contracts';
import type { Authenticator, Clock, Principal, Sha256 } from '#libs/ports';

/** `hf_` and at least 256 bits in base64url; the upper bound keeps a flood of nonsense cheap. */
const TOKEN = /^hf_[A-Za-z0-9_-]{43,200}$/;

interface KnownKey {
  readonly principal: Principal;
  readonly expiresMs: number;
}

/**
 * API keys. Only the SHA-256 of a token is known here, and tokens have 256 random bits, so finding one by its hash tells an attacker
 * nothing by its timing. Holds the keys of one configuration at a time.
 */
export class ApiKeys implements Authenticator {
  private keys: ReadonlyMap<string, KnownKey> = new Map();

  constructor(
    private readonly sha256: Sha256,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Replaces all keys at once. `more` are keys that stand in no file, such as those of the person at this machine. */
  use(config: HoldfastConfig, more: readonly KeyConfig[] = []): void {
    const groups = new Map(config.identity.users.map((user) => [`${user.tenant}/${user.id}`, user.groups]));
    const keys = new Map<string, KnownKey>();
    for (const key of [...config.identity.keys, ...more]) {
      const principal: Principal = {
        tenant: key.tenant,
        user: key.user,
        client: key.client,
        ...(key.agent === undefined ? {} : { agent: key.agent }),
        roles: key.roles,
        groups: groups.get(`${key.tenant}/${key.user}`) ?? [],
        key: key.id,
        ...(key.servers === undefined ? {} : { servers: key.servers }),
      };
      keys.set(key.sha256, { principal, expiresMs: key.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt) });
    }
    this.keys = keys;
  }

  authenticate(authorization: string | undefined): Principal {
    if (authorization === undefined || authorization === '') throw new Refusal('unauthenticated');
    const [scheme, token] = authorization.split(' ', 2);
    if (scheme?.toLowerCase() !== 'bearer') throw new Refusal('unauthenticated');
    if (token === undefined || authorization.length !== scheme.length + 1 + token.length || !TOKEN.test(token))
      throw new Refusal('token_malformed');
    return this.recognise(Buffer.from(this.sha256(token)).toString('hex'));
  }

  recognise(digest: string): Principal {
    const known = this.keys.get(digest);
    if (!known) throw new Refusal('token_unknown');
    if (this.clock.now() >= known.expiresMs) throw new Refusal('token_expired', undefined, { key: known.principal.key });
    return known.principal;
  }

  /** The same three identities under the same credential, with what is known of them now; undefined when the credential is none any more. */
  now({ key, tenant, user, client, agent }: Principal): Principal | undefined {
    for (const { principal: known, expiresMs } of this.keys.values()) {
      if (known.key === key && known.tenant === tenant) return this.clock.now() < expiresMs && known.user === user && known.client === client && known.agent === agent ? known : undefined;
    }
    return undefined;
  }

  /** Whether a caller that was authenticated before would still be the same one now: long-lived streams ask again and again. */
  stands(principal: Principal): boolean {
    for (const known of this.keys.values()) {
      if (known.principal.key !== principal.key || known.principal.tenant !== principal.tenant) continue;
      return this.clock.now() < known.expiresMs && (known.principal === principal || JSON.stringify(known.principal) === JSON.stringify(principal));
    }
    return false;
  }
}
