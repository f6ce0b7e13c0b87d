/**
 * Which Host and Origin headers are ours. A page that a browser loaded from elsewhere must not talk to a broker on the same machine
 * by a name that resolves to it, so names count, not addresses. An entry without a port stands for every port.
 */
export class Hosts {
  private readonly allowed: ReadonlySet<string>;
  private readonly known = new Map<string, boolean>();

  constructor(names: readonly string[]) {
    this.allowed = new Set([...LOCAL, ...names.map((name) => name.toLowerCase())]);
  }

  /** Also the value of `:authority`. */
  servesHost(host: string | undefined): boolean {
    return host !== undefined && this.remembered(`h ${host}`, () => this.serves(host));
  }

  /** Programs send no Origin; a browser that hides it sends `null`, which is nobody's. */
  acceptsOrigin(origin: string | undefined): boolean {
    if (origin === undefined || origin === '') return true;
    return this.remembered(`o ${origin}`, () => {
      const match = /^https?:\/\/([^/?#@\\\s]+)$/i.exec(origin);
      return match !== null && this.serves(match[1]!);
    });
  }

  private serves(authority: string): boolean {
    const match = /^(\[[0-9a-f:.]+\]|[^:[\]\s/?#@\\]+)(?::(\d{1,5}))?$/i.exec(authority);
    if (!match) return false;
    const name = match[1]!.toLowerCase();
    return this.allowed.has(name) || (match[2] !== undefined && this.allowed.has(`${name}:${match[2]}`));
  }

  private remembered(key: string, answer: () => boolean): boolean {
    let known = this.known.get(key);
    if (known === undefined) {
      known = answer();
      if (this.known.size < 100) this.known.set(key, known);
    }
    return known;
  }
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
