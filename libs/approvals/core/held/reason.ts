/** Whether no reason was given, or one that says nothing. */
export function isBlank(reason: string | undefined): boolean {
  return reason === undefined || reason.trim() === '';
}
