export interface Project {
  readonly name: string;
  readonly root: string;
  readonly projectType: 'application' | 'library';
  readonly tags: readonly string[];
  readonly targets: Readonly<Record<'test' | 'lint', { readonly command: string; readonly cache: boolean; readonly inputs: readonly string[] }>>;
}
export function projectOf(entry: string): Project | undefined;
export function importedPaths(file: string, text: string): string[];
export function rootHolding(path: string, roots: readonly string[]): string | undefined;
