import type { Role } from '#libs/contracts';

/** People as configuration names them; whoever is meant by one of the lists is meant. */
export interface People {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  /** `owner-of-server` means who owns the server of the call. */
  readonly roles?: readonly Role[];
}

/** One step of a flow: so many of these people, unless so many of them deny. */
export interface FlowStep {
  readonly name: string;
  readonly approvers: People;
  /** At least 1. */
  readonly need: number;
  /** How many denials end it; at least 1. */
  readonly deny: number;
  readonly reminders: { readonly everyMs: number; readonly most: number } | null;
  /** Who is asked as well when the step is open for so long. */
  readonly escalation: { readonly afterMs: number; readonly to: People } | null;
}

/** The flow as it was when the call was held; a later configuration does not change what its approval needs. */
export interface Flow {
  readonly id: string;
  /** Of its canonical text, to tell at the claim whether policy still asks for the same. */
  readonly digest: string;
  readonly expiresInMs: number;
  /** How long the right to execute lasts once it is granted. */
  readonly grantForMs: number;
  readonly requesterReason: 'required' | 'optional' | 'none';
  readonly approverReason: 'required' | 'optional';
  /** Who may approve alone in an emergency; null where nobody may. */
  readonly breakGlass: People | null;
  readonly steps: readonly FlowStep[];
}
