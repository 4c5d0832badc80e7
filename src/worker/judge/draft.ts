import type { Member } from '../../model/json-text.ts';
import type { ParsedTimestamp } from '../../model/timestamp.ts';
import type { Topic } from './topic.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A message read as far as it goes, before any check has said yes: what the checks of its form look at. */
export interface Draft {
  /** What follows `telemetry.` in the subject; the whole subject where it does not start like that. */
  readonly subjectTenant: string;
  /** Why envelope or payload could not be read; both are empty then. Completes "The message …". */
  readonly unreadable: string | undefined;
  readonly envelope: Fields;
  /** The envelope's topic in its parts; undefined where it has another form. */
  readonly topic: Topic | undefined;
  /** The payload; numbers that a double cannot hold are raw. */
  readonly payload: Fields;
  readonly payloadText: string;
  /** The payload's members, in `payloadText`. */
  readonly members: readonly Member[];
  /** JSON text of the payload's `metrics`; undefined without. */
  readonly metricsText: string | undefined;
  /** Where a key stands twice outside the metrics (`payload.site_id`); undefined when none does. */
  readonly repeatedKey: string | undefined;
  /** A key stands twice somewhere, possibly in the metrics. */
  readonly mayRepeatKeys: boolean;
  /** A string or key may hold what PostgreSQL cannot store: only escapes can spell it. */
  readonly mayBeUnstorable: boolean;
  /** A number may be too long for PostgreSQL's numeric. */
  readonly mayOverflow: boolean;
  /** As sent; undefined when absent, empty or not a string. */
  readonly token: string | undefined;
  readonly arrivedAtMs: number;
  readonly time: ParsedTimestamp;
}

/** What the checks of a message's form are measured against. */
export interface FormLimits {
  /** Of the payload without its token, in bytes of UTF-8. */
  readonly maxBodyBytes: number;
  readonly maxMetrics: number;
  /** How far ahead of its arrival a message's time may lie, and how far behind, in ms. */
  readonly maxAheadMs: number;
  readonly retentionMs: number;
}

/** One check of a message's form: a sentence that says what is wrong, or undefined. */
export type FormCheck = (draft: Draft, limits: FormLimits) => string | undefined;
