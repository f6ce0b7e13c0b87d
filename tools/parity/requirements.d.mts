export interface Requirements {
  readonly scored: readonly string[];
  readonly unscored: readonly string[];
}
export function readRequirements(text: string): Requirements;
