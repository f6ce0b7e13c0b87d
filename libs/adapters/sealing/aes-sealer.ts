import { base64url, commitment } from '#libs/audit/core';
import { canonicalJson, MAX_SEALED_DEPTH, type SealedField } from '#libs/contracts';
import type { OpenedValue, SealedValues, Sealer } from '#libs/ports';
import { decrypt, encrypt } from './aes-gcm.ts';
import type { KeyHierarchy, OpenKey } from './key-hierarchy.ts';
import { RandomPool } from './random-pool.ts';

const SALT = 16;
const NONCE = 12;

/** {@link Sealer} with AES-256-GCM. A box holds salt and canonical text; it opens only for its tenant, key and pointer. */
export class AesSealer implements Sealer {
  private readonly random = new RandomPool();

  constructor(private readonly keys: KeyHierarchy) {}

  async seal(tenant: string, subject: string, values: Readonly<Record<string, unknown>>): Promise<SealedValues> {
    const key: OpenKey = this.keys.cachedSubjectKey(tenant, subject) ?? (await this.keys.subjectKey(tenant, subject));
    const commitments: Record<string, string> = {};
    const fields: SealedField[] = [];
    for (const [path, value] of Object.entries(values)) {
      const random = this.random.take(SALT + NONCE);
      const salt = random.subarray(0, SALT);
      const canonical = canonicalJson(value, MAX_SEALED_DEPTH);
      commitments[path] = base64url(commitment(salt, path, canonical));
      fields.push({ path, keyId: key.id, box: encrypt(key.key, random.subarray(SALT), Buffer.concat([salt, Buffer.from(canonical)]), boxContext(tenant, key.id, path)) });
    }
    return { commitments, fields };
  }

  async open(tenant: string, field: SealedField): Promise<OpenedValue | null> {
    const key = await this.keys.subjectKeyById(tenant, field.keyId);
    if (!key) return null;
    const plaintext = decrypt(key.key, field.box, boxContext(tenant, field.keyId, field.path));
    return { salt: plaintext.subarray(0, SALT), canonical: plaintext.subarray(SALT).toString('utf8') };
  }
}

const boxContext = (tenant: string, keyId: string, path: string): string => `holdfast-field\n${tenant}\n${keyId}\n${path}`;
