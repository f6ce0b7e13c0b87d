import { createHash, randomBytes } from 'node:crypto';
import { Listener, openStateDatabase, PostgresApprovalStore, PostgresReviewLinks } from '#libs/adapters/postgres';
import { ReviewLinks } from '#libs/approvals/core';
import { joinInstallation } from '#libs/composition';
import type { Installation } from './holdfast.ts';

/** Links as a mail has them, made beside the running installation. */
export async function reviewLinks(installation: Installation): Promise<{ readonly links: ReviewLinks; close(): Promise<void> }> {
  const { databaseUrl } = joinInstallation(installation.data, undefined, undefined);
  const state = await openStateDatabase(databaseUrl, 1);
  // Loading writes nothing, so nothing is staged.
  const store = new PostgresApprovalStore(state, new Listener(databaseUrl), undefined as never);
  const links = new ReviewLinks({ links: new PostgresReviewLinks(state), store, clock: { now: () => Date.now() }, ids: { randomBytes: (length) => randomBytes(length) }, sha256: (data) => createHash('sha256').update(data).digest() });
  return { links, close: () => state.destroy() };
}
