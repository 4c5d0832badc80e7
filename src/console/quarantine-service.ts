import type { Queryable } from '../store/statements/queryable.ts';
import type { BackgroundReplays, ReplayRequest } from './background-replays.ts';

/** What the API does with quarantined messages by the worker's own rules: the role hands it in. */
export interface QuarantineService {
  /**
   * Gives a message another payload, in the caller's transaction.
   * @returns undefined where there is no such message (of the tenant)
   */
  mend(db: Queryable, request: MendRequest): Promise<MendAnswer | undefined>;
  /** What a replay would do now. Changes nothing. */
  foresee(request: ReplayRequest): Promise<Foreseen>;
  readonly replays: BackgroundReplays;
}

export interface MendRequest {
  readonly id: bigint;
  /** Undefined: a message of any tenant. */
  readonly tenantId: string | undefined;
  /** JSON text. */
  readonly payload: string;
  readonly by: string;
}

export type MendAnswer =
  /** What a replay would say now, without vouching. */
  | { readonly passes: true }
  | { readonly passes: false; readonly reason: string; readonly detail: string }
  /** Nothing was changed; a sentence says why. */
  | { readonly refused: string };

export interface Foreseen {
  readonly messages: number;
  readonly tokens: Readonly<Record<'current' | 'earlier' | 'mismatch' | 'none', number>>;
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly reasons: ReadonlyMap<string, number>;
  /** Of the refused: they can only be stored mended. */
  readonly altered: number;
  readonly complete: boolean;
}
