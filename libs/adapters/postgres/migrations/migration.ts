/** One step of a database's schema. Numbered from 1 without holes, never edited after it has landed. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  /** A process of the version before cannot work on a database that has this step. */
  readonly breaking: boolean;
  readonly sql: string;
}
