import { decodeSealed, encodeSealed, type SealedField } from '#libs/contracts';
import type { HeldRequest, Sealer } from '#libs/ports';

/** What is kept closed beside an approval. */
interface Contents {
  readonly '/request': HeldRequest;
  readonly '/reason': string;
  /** Arguments that people put in place of the agent's. */
  readonly '/edited': unknown;
  /** What the agent is told; stands alone. */
  readonly '/answer': string;
}

/** Closes and opens what stands beside approvals: the key is that of the person who asked, so erasing that person erases it. */
export class Safe {
  constructor(private readonly sealer: Sealer) {}

  /** The fields of `before`, with these in their place or beside them. */
  async with(tenant: string, subject: string, values: Partial<Contents>, before?: Uint8Array): Promise<Uint8Array> {
    const texts = Object.fromEntries(Object.entries(values).map(([path, value]) => [path, JSON.stringify(value)]));
    const { fields } = await this.sealer.seal(tenant, subject, texts);
    const kept = before === undefined ? [] : decodeSealed(before).filter(({ path }) => !Object.hasOwn(texts, path));
    return encodeSealed([...kept, ...fields]);
  }

  /** Null when it is not there, or its key was destroyed. */
  async open<P extends keyof Contents>(tenant: string, sealed: Uint8Array, path: P): Promise<Contents[P] | null> {
    const field: SealedField | undefined = decodeSealed(sealed).find((candidate) => candidate.path === path);
    const opened = field && (await this.sealer.open(tenant, field));
    return opened ? (JSON.parse(JSON.parse(opened.canonical) as string) as Contents[P]) : null;
  }
}

/** The request as it would be made with other arguments. */
export function withArguments(request: HeldRequest, args: Readonly<Record<string, unknown>>): HeldRequest {
  return { ...request, args, params: JSON.stringify({ ...(JSON.parse(request.params) as object), arguments: args }) };
}
