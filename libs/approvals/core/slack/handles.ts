/** What a button or a form stands for. Slack carries it sealed and knows nothing of it. */
export interface Handle {
  readonly tenant: string;
  readonly approval: string;
  /** The approval as it was shown: a decision is about this one and no later one. */
  readonly version: number;
  readonly asks: 'approve' | 'deny' | 'edit';
  /** Of a form: the account that it was opened for. Null for a button, which is for whoever may press it. */
  readonly form: string | null;
}

/** Makes texts that only this installation can make and read. */
export interface TextSealer {
  seal(text: string): string;
  /** Null for what was not sealed here. */
  open(sealed: string): string | null;
}

const MOST = 2_000;

export class Handles {
  constructor(private readonly sealer: TextSealer) {}

  seal({ tenant, approval, version, asks, form }: Handle): string {
    return this.sealer.seal(JSON.stringify(['slack', tenant, approval, version, asks, form]));
  }

  /** Null for what was made up, changed, or made for another purpose. */
  open(sealed: string): Handle | null {
    if (sealed.length > MOST) return null;
    const text = this.sealer.open(sealed);
    if (text === null) return null;
    const read = JSON.parse(text) as [string, string, string, number, Handle['asks'], string | null];
    if (!Array.isArray(read) || read[0] !== 'slack') return null;
    const [, tenant, approval, version, asks, form] = read;
    return { tenant, approval, version, asks, form };
  }
}
