import { z } from 'zod';

const line = z.string().max(300);
const text = z.string().max(2_000).transform((value) => value.replaceAll('\r\n', '\n').trim());
/** As large as any body. */
const json = z.string().max(4 << 20).transform((value) => value.replaceAll('\r\n', '\n'));

/** Paths of ours, and nothing that leads elsewhere. */
const Next = z.string().regex(/^\/(console(\/approvals\/[0-9a-f-]{36})?|review\/[A-Za-z0-9_-]{43}|slack\/link\/[0-9a-f]{64})$/).catch('/console');

/** What others add to addresses, as mail programs do, says nothing here; forms are ours and are read strictly. */
export const SignInQuery = z.object({ next: Next.default('/console') });
export const SignInForm = z.strictObject({ token: line.default(''), next: Next.default('/console') });
export const SignOutForm = z.strictObject({ form: line });
export const InboxQuery = z.object({ after: line.optional() });
export const ApprovalQuery = z.object({ said: line.optional().catch(undefined) });
export const ShowForm = z.strictObject({ form: line });
export const DecisionForm = z.strictObject({
  form: line,
  version: z.coerce.number().int().min(1),
  action: z.enum(['approve', 'deny', 'edit', 'break-glass', 'cancel']),
  reason: text.default(''),
  args: json.optional(),
});
export type DecisionForm = z.output<typeof DecisionForm>;
